//! Every kind of archive that is unpacked.

use std::io::{Cursor, Write as _};
use std::os::unix::fs::MetadataExt as _;

use hatchery_archive::{ArchiveError, Progress, extract};
use hatchery_serverfs::{DiskLimit, FsError};
use tar::EntryType;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::{Fixture, Tar, foreign, path};

/// `xx/secret` and `server.properties`, both with mode 0640 and the same content, made by py7zr.
const SEVEN_ZIP: &str = "377abcaf271c00040fc7ffa616000000000000008700000000000000d3c2efa5e0000f000e5d00369bcaeed0325c25b088d9364000000104060001091600070b010001212101160c1000080d0209080a01414b5cbf414b5cbf00000502190100113900780078002f0073006500630072006500740000007300650072007600650072002e00700072006f00700065007200740069006500730000001412010000006dc64717da0100006dc64717da01150a01002080a0812080a0810000";

fn seven_zip() -> Vec<u8> {
    let digits = SEVEN_ZIP.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn unpack(fixture: &Fixture, name: &str, archive: &[u8]) -> hatchery_archive::Result<()> {
    fixture.put(name, archive);
    extract(
        &fixture.dir(),
        &path(name),
        &foreign("out"),
        &Progress::default(),
    )
}

/// What was unpacked.
fn unpacked(fixture: &Fixture) -> Vec<(String, String)> {
    let mut all = fixture.all();
    all.retain(|(name, _)| name.starts_with("out/") && name != "out/");
    all
}

fn entries<const N: usize>(entries: [(&str, &str); N]) -> Vec<(String, String)> {
    entries
        .map(|(name, content)| (format!("out/{name}"), content.to_owned()))
        .to_vec()
}

fn zip_of(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    write(&mut zip);
    zip.finish().unwrap().into_inner()
}

#[test]
fn the_first_bytes_decide_how_it_is_unpacked() {
    let tar = Tar::default().file("world/level.dat", "level").plain();
    let compressed = |content: &[u8]| {
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(content).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(content).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(content).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(content).unwrap();
        [
            ("gz", gzip.finish().unwrap()),
            ("bz2", bzip2.finish().unwrap()),
            ("xz", xz.finish().unwrap()),
            ("zst", zstd::encode_all(content, 1).unwrap()),
            ("lz4", lz4.finish().unwrap()),
        ]
    };
    let expected = entries([("world/", ""), ("world/level.dat", "level")]);
    let mut archives: Vec<_> = compressed(&tar)
        .into_iter()
        .map(|(ending, archive)| (format!("a.tar.{ending}"), archive))
        .collect();
    archives.push(("misnamed.zip".to_owned(), tar));
    for (name, archive) in archives {
        let fixture = Fixture::new();
        unpack(&fixture, &name, &archive).unwrap();
        assert_eq!(unpacked(&fixture), expected, "{name}");
    }
    for (ending, archive) in compressed(b"a line") {
        let fixture = Fixture::new();
        unpack(&fixture, &format!("latest.log.{ending}"), &archive).unwrap();
        let expected = entries([("latest.log", "a line")]);
        assert_eq!(unpacked(&fixture), expected, "{ending}");
    }
}

#[test]
fn zip_files_keep_modes_and_times_and_stay_inside() {
    let options = SimpleFileOptions::default()
        .unix_permissions(0o750)
        .last_modified_time(zip::DateTime::from_date_and_time(2024, 3, 17, 14, 58, 30).unwrap());
    let archive = zip_of(|zip| {
        zip.add_directory("world/", options).unwrap();
        zip.start_file("../../run.sh", options.large_file(true))
            .unwrap();
        zip.write_all(b"#!/bin/sh").unwrap();
        zip.start_file("/absolute", options).unwrap();
        zip.add_symlink("link", "../../secret", options).unwrap();
    });
    let fixture = Fixture::new();
    unpack(&fixture, "a.zip", &archive).unwrap();
    fixture.assert_unharmed();
    let expected = entries([("absolute", ""), ("run.sh", "#!/bin/sh"), ("world/", "")]);
    assert_eq!(unpacked(&fixture), expected);
    let script = fixture.root().join("out/run.sh").metadata().unwrap();
    assert_eq!(
        (script.mode() & 0o7777, script.mtime()),
        (0o750, 1_710_687_510)
    );
}

#[test]
fn seven_zip_files_are_unpacked() {
    let fixture = Fixture::new();
    unpack(&fixture, "a.7z", &seven_zip()).unwrap();
    let content = "motd=hi\n";
    let expected = entries([
        ("server.properties", content),
        ("xx/", ""),
        ("xx/secret", content),
    ]);
    assert_eq!(unpacked(&fixture), expected);
    let file = fixture
        .root()
        .join("out/server.properties")
        .metadata()
        .unwrap();
    assert_eq!((file.mode() & 0o7777, file.mtime()), (0o640, 1_700_000_000));

    // The names are neither compressed nor covered by anything but a checksum, which hostile
    // archives get right; the path is what keeps them inside.
    let mut broken = seven_zip();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let outcome = unpack(&Fixture::new(), "a.7z", &broken);
    assert!(
        matches!(outcome, Err(ArchiveError::Unreadable(_))),
        "{outcome:?}"
    );
}

#[test]
fn what_is_no_archive_or_a_bad_one_is_refused() {
    let whole = zip_of(|zip| {
        zip.start_file("a", SimpleFileOptions::default()).unwrap();
        zip.write_all(b"content").unwrap();
    });
    for (name, archive, known) in [
        ("eula.txt", &b"eula=true"[..], false),
        ("a.tar.gz", b"", false),
        ("a.rar", b"Rar!\x1a\x07\x01\x00", false),
        ("a.zip", &whole[..whole.len() - 10], true),
        ("a.gz", b"\x1f\x8b\x08", true),
        ("a.xz", b"\xfd7zXZ\0 no", true),
        ("a.zst", b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff", true),
    ] {
        match unpack(&Fixture::new(), name, archive) {
            Err(ArchiveError::UnknownFormat) => assert!(!known, "{name}"),
            Err(ArchiveError::Unreadable(_)) => assert!(known, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.root().join("dir")).unwrap();
    for name in ["gone.zip", "dir"] {
        let outcome = extract(
            &fixture.dir(),
            &path(name),
            &foreign(""),
            &Progress::default(),
        );
        assert!(
            matches!(
                outcome,
                Err(ArchiveError::Files(
                    FsError::NotFound | FsError::IsDirectory
                ))
            ),
            "{outcome:?}"
        );
    }
}

#[test]
fn the_disk_limit_holds_for_every_kind() {
    let big = vec![0; 1_000_000];
    let zip = zip_of(|zip| {
        zip.start_file("zeros", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&big).unwrap();
    });
    let gz = Tar::default()
        .entry(EntryType::Regular, "zeros", "", &big)
        .gz();
    for (name, archive) in [
        ("a.zip", zip),
        ("a.tar.gz", gz),
        ("zeros.zst", zstd::encode_all(&big[..], 1).unwrap()),
    ] {
        let fixture = Fixture::new();
        fixture.put(name, archive);
        let dir = fixture.dir();
        dir.set_disk_limit(DiskLimit::Bytes(500_000));
        let outcome = extract(&dir, &path(name), &foreign("out"), &Progress::default());
        assert!(
            matches!(outcome, Err(ArchiveError::Files(FsError::NoSpace))),
            "{name}: {outcome:?}"
        );
        assert_eq!(
            (dir.disk_usage(), unpacked(&fixture)),
            (0, vec![]),
            "{name}"
        );
    }
}
