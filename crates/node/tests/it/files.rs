//! The routes about files and the links of browsers, over the routers.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use hatchery_node_proto::jwt::{FileDownload, FileUpload, Websocket};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{TOKEN, World, user_uuid};

const GONE: &str = "The requested resources was not found on the system.";
const DEAD_LINK: &str = "The requested resource was not found on this server.";
const FULL: &str = "There is not enough disk space available to perform that action.";
const DENIED: &str = "This file cannot be modified: present in egg denylist.";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts a refusal in the protocol's words.
    #[track_caller]
    fn refused(&self, status: u16, error: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.json()["error"], error);
    }

    /// Asserts success without a body.
    #[track_caller]
    fn done(&self) {
        assert_eq!(
            (
                self.status.as_u16(),
                String::from_utf8_lossy(&self.body).as_ref()
            ),
            (204, "")
        );
    }
}

impl World {
    fn folder(&self) -> PathBuf {
        self.data.path().join(self.server.to_string())
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// The names in the server's folder.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Calls a route beneath `…/files` as the panel does.
    async fn files(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/servers/{}/files/{path}", self.server))
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(body.into())
            .unwrap();
        Answer::of(self.node.protocol_service().oneshot(request).await.unwrap()).await
    }

    async fn verb(&self, verb: &str, body: Value) -> Answer {
        let method = if verb == "rename" { "PUT" } else { "POST" };
        self.files(method, verb, body.to_string()).await
    }

    async fn write(&self, file: &str, length: usize, body: impl Into<Body>) -> Answer {
        let request = Request::post(format!(
            "/api/servers/{}/files/write?file={file}",
            self.server
        ))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-length", length)
        .body(body.into())
        .unwrap();
        Answer::of(self.node.protocol_service().oneshot(request).await.unwrap()).await
    }

    fn download_token(&self, file: &str) -> String {
        self.clock.advance(Duration::from_millis(1));
        self.sign(
            'b',
            FileDownload {
                server_uuid: self.server,
                file_path: file.to_owned(),
            },
        )
    }

    fn upload_token(&self) -> String {
        self.clock.advance(Duration::from_millis(1));
        self.sign(
            'b',
            FileUpload {
                server_uuid: self.server,
            },
        )
    }

    /// Opens a link as a browser does.
    async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.node.public_router().oneshot(request).await.unwrap()
    }

    async fn download(&self, file: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!(
            "/download/file?token={}",
            self.download_token(file)
        ));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(self.open(request.body(Body::empty()).unwrap()).await).await
    }

    async fn upload(&self, query: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(format!("/upload/file?token={}{query}", self.upload_token()))
            .header("content-type", "multipart/form-data; boundary=XX")
            .body(body.into())
            .unwrap();
        Answer::of(self.open(request).await).await
    }
}

/// A part of a form.
fn part(field: &str, name: &str, content: &str) -> String {
    format!(
        "--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n"
    )
}

const END: &str = "--XX--\r\n";

/// A body that breaks off after these bytes, as when the sender's connection dies.
fn broken(start: &str) -> Body {
    let start = Bytes::from(start.to_owned());
    Body::from_stream(stream::iter([
        Ok(start),
        Err(std::io::Error::other("gone")),
    ]))
}

#[tokio::test]
async fn a_directory_is_listed_in_order() {
    let world = World::new().await;
    world.put("b.txt", "text");
    world.put("a.jar", "PK\x03\x04");
    world.put("world/level.dat", [0, 1]);
    std::os::unix::fs::symlink("b.txt", world.folder().join("link")).unwrap();
    let answer = world.files("GET", "list-directory?directory=%2F", "").await;
    let entries = answer.json();
    let names: Vec<_> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["name"])
        .collect();
    assert_eq!(names, ["world", "a.jar", "b.txt", "link"]);
    let mut file = entries[2].clone();
    for time in ["created", "modified"] {
        assert!(file[time].as_str().unwrap().ends_with("+00:00"), "{file}");
        file.as_object_mut().unwrap().remove(time);
    }
    let expected = json!({"name": "b.txt", "mode": "-rw-r--r--", "mode_bits": "644", "size": 4,
        "directory": false, "file": true, "symlink": false, "mime": "text/plain; charset=utf-8"});
    assert_eq!(file, expected);
    assert_eq!(
        (&entries[0]["mime"], &entries[0]["directory"]),
        (&json!("inode/directory"), &json!(true))
    );
    assert_eq!(
        (&entries[3]["symlink"], &entries[3]["file"]),
        (&json!(true), &json!(true))
    );

    assert_eq!(
        world
            .files("GET", "list-directory?directory=/world", "")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    world
        .files("GET", "list-directory?directory=none", "")
        .await
        .refused(404, GONE);
    world
        .files("GET", "list-directory?directory=b.txt", "")
        .await
        .refused(404, GONE);
    assert!(answer.header("x-request-id").is_some());
}

#[tokio::test]
async fn contents_are_streamed_as_they_are() {
    let world = World::new().await;
    let large: Vec<u8> = (0..1_000_000_u32)
        .map(|index| (index % 251) as u8)
        .collect();
    world.put("a b.bin", &large);
    world.put("empty.txt", "");
    let answer = world.files("GET", "contents?file=//a%20b.bin", "").await;
    assert_eq!(
        (answer.status, answer.body.len()),
        (StatusCode::OK, large.len())
    );
    assert!(answer.body == large);
    assert_eq!(answer.header("content-length"), Some("1000000"));
    assert_eq!(
        answer.header("x-mime-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("content-disposition"), None);
    let answer = world
        .files("GET", "contents?file=empty.txt&download=1", "")
        .await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(
        answer.header("x-mime-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"empty.txt\"")
    );

    std::fs::create_dir(world.folder().join("dir")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.folder().join("passwd")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        world.folder().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    world
        .files("GET", "contents?file=pipe", "")
        .await
        .refused(400, "Cannot open files of this type.");
    world
        .files("GET", "contents?file=passwd", "")
        .await
        .refused(400, "Cannot open files of this type.");
    world
        .files("GET", "contents?file=dir", "")
        .await
        .refused(400, "Cannot perform that action: file is a directory.");
    world
        .files("GET", "contents", "")
        .await
        .refused(400, "Cannot perform that action: file is a directory.");
    for missing in ["none", "../../etc/passwd", "passwd/x", "a%00b"] {
        world
            .files("GET", &format!("contents?file={missing}"), "")
            .await
            .refused(404, GONE);
    }
    let long = "x".repeat(256);
    let answer = world
        .files("GET", &format!("contents?file={long}"), "")
        .await;
    answer.refused(400, "Cannot perform that action: file name is too long.");
    assert!(answer.json()["request_id"].is_string());
}

#[tokio::test]
async fn a_body_becomes_a_file_whole_or_not_at_all() {
    let world = World::new().await;
    world.write("a/b/c.txt", 5, "hello").await.done();
    assert_eq!(world.text("a/b/c.txt"), "hello");
    world.write("a/b/c.txt", 0, "").await.done();
    assert_eq!(world.text("a/b/c.txt"), "");

    world.put("config.yml", "precious");
    world
        .write("config.yml", 100, broken("half"))
        .await
        .refused(
            400,
            "An unexpected error was encountered while processing this request",
        );
    let short = world.write("config.yml", 100, "half").await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        (world.text("config.yml").as_str(), world.names()),
        ("precious", vec!["a".to_owned(), "config.yml".to_owned()],)
    );

    world
        .files("POST", "write?file=x", "no length")
        .await
        .refused(400, "Missing Content-Length");
    world.write("a", 1, "x").await.refused(
        400,
        "Cannot write file, name conflicts with an existing directory by the same name.",
    );
    world.write("config.yml/x", 1, "x").await.refused(
        400,
        "Part of the path being created is not a directory (ENOTDIR).",
    );
}

#[tokio::test]
async fn files_are_renamed_copied_created_changed_and_deleted() {
    let world = World::new().await;
    world.put("one", "1");
    world.put("two", "2");
    let files = |from: &str, to: &str| json!({"root": "/", "files": [{"from": from, "to": to}]});
    world.verb("rename", files("one", "two")).await.refused(
        400,
        "Cannot move or rename file, destination already exists.",
    );
    world.verb("rename", files("missing", "x")).await.done();
    world.verb("rename", files("one", "new/three")).await.done();
    assert_eq!(world.text("new/three"), "1");
    for (from, to) in [("/", "x"), ("new", "new/x/y")] {
        assert_eq!(
            world.verb("rename", files(from, to)).await.status,
            StatusCode::BAD_REQUEST
        );
    }
    world
        .verb("copy", json!({"location": "/new/three"}))
        .await
        .done();
    assert_eq!(world.text("new/three copy"), "1");
    for location in ["none", "new", "/"] {
        world
            .verb("copy", json!({"location": location}))
            .await
            .refused(404, GONE);
    }
    for _ in 0..2 {
        world
            .verb(
                "create-directory",
                json!({"name": "deep/er", "path": "/dir"}),
            )
            .await
            .done();
    }
    assert!(world.folder().join("dir/deep/er").is_dir());
    world
        .verb("create-directory", json!({"name": "x", "path": "/two"}))
        .await
        .refused(
            400,
            "Part of the path being created is not a directory (ENOTDIR).",
        );

    let modes = json!([{"file": "two", "mode": "600"}, {"file": "none", "mode": "644"}]);
    world
        .verb("chmod", json!({"root": "/", "files": modes}))
        .await
        .done();
    let listed = world
        .files("GET", "list-directory?directory=", "")
        .await
        .json();
    let two = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"] == "two")
        .unwrap();
    assert_eq!(two["mode_bits"], "600");
    for mode in ["rwx", "888", "", "-1"] {
        let modes = json!([{"file": "two", "mode": mode}]);
        world
            .verb("chmod", json!({"root": "/", "files": modes}))
            .await
            .refused(400, "Invalid file mode.");
    }

    world
        .verb(
            "delete",
            json!({"root": "/", "files": ["two", "dir", "none"]}),
        )
        .await
        .done();
    world
        .verb("delete", json!({"root": "new", "files": ["three"]}))
        .await
        .done();
    assert_eq!(world.names(), ["new"]);
    assert_eq!(
        world
            .verb("delete", json!({"root": "/", "files": ["/"]}))
            .await
            .status,
        StatusCode::INTERNAL_SERVER_ERROR
    );

    for (verb, text) in [
        ("rename", "No files to move or rename were provided."),
        ("delete", "No files were specified for deletion."),
        ("chmod", "No files to chmod were provided."),
    ] {
        world
            .verb(verb, json!({"root": "/", "files": []}))
            .await
            .refused(422, text);
        world
            .files(if verb == "rename" { "PUT" } else { "POST" }, verb, "")
            .await
            .refused(
                400,
                "The data passed in the request was not in a parsable format. Please try again.",
            );
        assert_eq!(
            world.verb(verb, json!({"root": 1})).await.status,
            StatusCode::BAD_REQUEST
        );
    }
}

#[tokio::test]
async fn the_denylist_keeps_files_from_being_changed() {
    let world = World::with(
        |document| document["settings"]["egg"]["file_denylist"] = json!(["*.lock", "secret/"]),
        |_| {},
    )
    .await;
    world.put("a.lock", "locked");
    world.put("free", "free");
    world.write("a.lock", 1, "x").await.refused(403, DENIED);
    world
        .write("/deep/./b.lock", 1, "x")
        .await
        .refused(403, DENIED);
    world
        .verb("copy", json!({"location": "a.lock"}))
        .await
        .refused(403, DENIED);
    for (from, to) in [
        ("a.lock", "b"),
        ("free", "free.lock"),
        ("free", "x/../free.lock"),
    ] {
        let body = json!({"root": "/", "files": [{"from": from, "to": to}]});
        world.verb("rename", body).await.refused(403, DENIED);
    }
    world
        .upload("", part("files", "c.lock", "x") + END)
        .await
        .refused(403, DENIED);
    assert_eq!(
        world.files("GET", "contents?file=a.lock", "").await.body,
        b"locked"
    );
    assert_eq!(world.names(), ["a.lock", "free"]);
}

#[tokio::test]
async fn nothing_grows_past_the_disk_limit() {
    let world = World::with(
        |document| document["settings"]["build"]["disk_space"] = json!(1),
        |_| {},
    )
    .await;
    let megabyte = "x".repeat(1024 * 1024);
    world
        .write("big", megabyte.len(), megabyte.clone())
        .await
        .done();
    world.write("more", 1, "x").await.refused(400, FULL);
    world
        .upload("", part("files", "more", "x") + END)
        .await
        .refused(400, FULL);
    world
        .verb("copy", json!({"location": "big"}))
        .await
        .refused(400, FULL);
    world
        .verb("delete", json!({"root": "/", "files": ["big"]}))
        .await
        .done();
    world.write("more", 1, "x").await.done();
    assert_eq!(world.names(), ["more"]);
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let disk = tempfile::tempdir().unwrap();
    if let Err(error) = mount(
        "tmpfs",
        disk.path(),
        "tmpfs",
        MountFlags::empty(),
        Some(c"size=256k"),
    ) {
        println!("SKIPPED: no file system of its own can be mounted here ({error})");
        return;
    }
    let world = World::with(|_| {}, |config| config.data = disk.path().to_owned()).await;
    let large = "x".repeat(1024 * 1024);
    let kept = world.write("world", 4, "save").await.status;
    let written = world.write("world", large.len(), large.clone()).await;
    let uploaded = world
        .upload("", part("files", "upload", &large) + END)
        .await;
    let contents = world.files("GET", "contents?file=world", "").await.body;
    let listed = world.files("GET", "list-directory", "").await.json();
    drop(world);
    unmount(disk.path(), UnmountFlags::DETACH).unwrap();
    assert_eq!(kept, StatusCode::NO_CONTENT);
    written.refused(400, FULL);
    uploaded.refused(400, FULL);
    assert_eq!(
        (contents, listed.as_array().unwrap().len()),
        (b"save".to_vec(), 1)
    );
}

#[tokio::test]
async fn a_download_link_works_once() {
    let world = World::new().await;
    world.put("wörld \"1\".zip", "0123456789");
    let token = world.download_token("/wörld \"1\".zip");
    let request = |method: &str| {
        let uri = format!("/download/file?token={token}");
        Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::empty())
            .unwrap()
    };
    // Asking for the size does not use it up.
    let head = Answer::of(world.open(request("HEAD")).await).await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (StatusCode::OK, Some("10"))
    );
    let answer = Answer::of(world.open(request("GET")).await).await;
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (StatusCode::OK, &b"0123456789"[..])
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"w_rld _1_.zip\"; filename*=UTF-8''w%C3%B6rld%20%221%22.zip")
    );
    Answer::of(world.open(request("GET")).await)
        .await
        .refused(404, DEAD_LINK);

    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=10-", 416, "", Some("bytes */10")),
        ("bytes=0-1,3-4", 200, "0123456789", None),
    ] {
        let answer = world.download("wörld \"1\".zip", &[("range", range)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_slice()),
            (status, body.as_bytes()),
            "{range}"
        );
        assert_eq!(answer.header("content-range"), content_range);
    }
    let conditional = world
        .download(
            "wörld \"1\".zip",
            &[("range", "bytes=2-4"), ("if-range", "\"x\"")],
        )
        .await;
    assert_eq!(
        (conditional.status, conditional.body.len()),
        (StatusCode::OK, 10)
    );
}

#[tokio::test]
async fn a_dead_link_tells_nothing() {
    let world = World::new().await;
    world.put("file", "x");
    std::fs::create_dir(world.folder().join("dir")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.folder().join("link")).unwrap();
    for file in ["none", "dir", "", "link", "../../../etc/passwd", "a\0b"] {
        world.download(file, &[]).await.refused(404, DEAD_LINK);
    }
    let stranger = FileDownload {
        server_uuid: crate::world::uuid('f'),
        file_path: "file".to_owned(),
    };
    let socket = Websocket {
        server_uuid: world.server,
        permissions: vec!["*".to_owned()],
    };
    let expired = world.download_token("file");
    world.clock.advance(Duration::from_mins(16));
    let wrong = [
        String::new(),
        "a.b.c".to_owned(),
        expired,
        world.sign('b', stranger),
        world.sign('b', socket),
        world.upload_token(),
    ];
    for token in wrong {
        let request = Request::get(format!("/download/file?token={token}"))
            .body(Body::empty())
            .unwrap();
        Answer::of(world.open(request).await)
            .await
            .refused(404, DEAD_LINK);
    }
    let downloading = world.download_token("file");
    let request = Request::post(format!("/upload/file?token={downloading}"))
        .body(Body::empty())
        .unwrap();
    Answer::of(world.open(request).await)
        .await
        .refused(404, DEAD_LINK);
}

#[tokio::test]
async fn a_revoked_link_ends_even_while_it_is_used() {
    let world = World::new().await;
    let large = vec![7; 2_000_000];
    world.put("large", &large);
    let token = world.download_token("large");
    let request = Request::get(format!("/download/file?token={token}"))
        .body(Body::empty())
        .unwrap();
    let mut body = world.open(request).await.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    world
        .client
        .deauthorize_user(user_uuid('b'), vec![world.server])
        .await
        .unwrap();
    let mut received = first.len();
    let ended = loop {
        match body.next().await {
            Some(Ok(bytes)) => received += bytes.len(),
            other => break other,
        }
    };
    assert!(matches!(ended, Some(Err(_))) && received < large.len());
    let request = Request::get(format!("/download/file?token={token}"))
        .body(Body::empty())
        .unwrap();
    Answer::of(world.open(request).await)
        .await
        .refused(404, DEAD_LINK);
}

#[tokio::test]
async fn uploads_are_stored_and_told_to_the_panel() {
    let world = World::new().await;
    let form = part("files", "a.txt", "first")
        + &part("files", "../../up/b.txt", "second\r\n--XY")
        + "--XX\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nignored\r\n"
        + END;
    let answer = world.upload("&directory=%2Fnew%2Fdir", form).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    assert_eq!(
        (world.text("new/dir/a.txt"), world.text("new/dir/b.txt")),
        ("first".into(), "second\r\n--XY".into())
    );
    world.node.shut_down().await;
    let told = world.panel.bodies("activity");
    let entries: Vec<_> = told
        .iter()
        .flat_map(|body| body["data"].as_array().unwrap())
        .collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["event"], "server:file.uploaded");
    assert_eq!(entries[0]["user"], json!(user_uuid('b')));
    assert_eq!(
        entries[0]["metadata"],
        json!({"file": "a.txt", "directory": "/new/dir"})
    );
    assert_eq!(entries[1]["metadata"]["file"], "b.txt");
}

#[tokio::test]
async fn uploads_that_fail_leave_nothing() {
    let world = World::with(|_| {}, |config| config.upload_limit_mib = 1).await;
    let limit = "x".repeat(1024 * 1024);
    let exact = world.upload("", part("files", "exact", &limit) + END).await;
    assert_eq!(exact.status, StatusCode::OK);
    world
        .upload("", part("files", "large", &(limit + "x")) + END)
        .await
        .refused(
            400,
            "File large is larger than the maximum file upload size of 1 MB.",
        );
    let bad = "Failed to get multipart form data from request.";
    world
        .upload("", broken(&part("files", "half", "never fin")))
        .await
        .refused(400, bad);
    world
        .upload("", part("files", "open", "no end"))
        .await
        .refused(400, bad);
    world.upload("", "no form at all").await.refused(400, bad);
    world
        .upload("", END)
        .await
        .refused(400, "No files were found on the request body.");
    world
        .upload("", part("other", "x", "y") + END)
        .await
        .refused(400, "No files were found on the request body.");
    let request = Request::post(format!("/upload/file?token={}", world.upload_token()))
        .body("x".into())
        .unwrap();
    Answer::of(world.open(request).await)
        .await
        .refused(400, bad);
    assert_eq!(world.names(), ["exact"]);
}

#[tokio::test]
async fn an_upload_link_works_once_and_an_earlier_file_stays() {
    let world = World::new().await;
    let token = world.upload_token();
    let send = |form: String| {
        let request = Request::post(format!("/upload/file?token={token}"))
            .header("content-type", "multipart/form-data; boundary=\"XX\"")
            .body(Body::from(form))
            .unwrap();
        async { Answer::of(world.open(request).await).await }
    };
    let form = part("files", "one", "1")
        + "--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"two\"";
    assert_eq!(send(form).await.status, StatusCode::BAD_REQUEST);
    send(part("files", "three", "3") + END)
        .await
        .refused(404, DEAD_LINK);
    assert_eq!(world.names(), ["one"]);
}

#[tokio::test]
async fn a_form_without_end_is_refused_before_it_fills_the_memory() {
    let world = World::new().await;
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for start in [
        "--XX\r\nContent-Disposition: form-data; name=\"",
        "no boundary ever",
    ] {
        taken.store(0, std::sync::atomic::Ordering::Relaxed);
        let counter = std::sync::Arc::clone(&taken);
        let endless = stream::iter([Bytes::from(start)])
            .chain(stream::repeat(Bytes::from_static(&[b'a'; 1024])))
            .inspect(move |_| {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            })
            .map(Ok::<_, std::io::Error>);
        let answer = world.upload("", Body::from_stream(endless)).await;
        answer.refused(400, "Failed to get multipart form data from request.");
        assert!(taken.load(std::sync::atomic::Ordering::Relaxed) < 200);
    }
    assert_eq!(world.names(), [""; 0]);
}

#[tokio::test]
async fn a_large_upload_is_taken_in_pieces() {
    // The pieces are handed over one by one, so the parser cannot gather them.
    let world = World::new().await;
    let mut pieces = vec![Bytes::from(
        part("files", "large", "")
            .trim_end_matches("\r\n")
            .to_owned()
            + "\r\n\r\n",
    )];
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    pieces.extend(std::iter::repeat_n(piece.clone(), 256));
    pieces.push(Bytes::from(format!("\r\n{END}")));
    let body = Body::from_stream(stream::iter(pieces).map(Ok::<_, std::io::Error>));
    assert_eq!(world.upload("", body).await.status, StatusCode::OK);
    let stored = std::fs::metadata(world.folder().join("large")).unwrap();
    assert_eq!(stored.len(), 256 * 64 * 1024);
    assert_eq!(world.names(), ["large"]);
}

#[tokio::test]
async fn files_are_packed_and_unpacked() {
    let world = World::new().await;
    world.put("logs/latest.log", "a line");
    world.put("plugins/a.jar", "jar");
    world.put("other", "stays out");
    let packed = world
        .verb(
            "compress",
            json!({"root": "/", "files": ["logs", "plugins", "gone"]}),
        )
        .await;
    assert_eq!(packed.status, 200);
    let entry = packed.json();
    let name = entry["name"].as_str().unwrap().to_owned();
    assert!(
        name.starts_with("archive-20") && name.ends_with("Z.tar.gz"),
        "{name}"
    );
    assert_eq!(entry["mime"], "application/tar+gzip");
    assert_eq!(entry["mode"], "-rw-r--r--");
    assert_eq!(entry["file"], true);
    let size = std::fs::metadata(world.folder().join(&name)).unwrap().len();
    assert_eq!(entry["size"], size);
    // Another of the same second does not replace it.
    let again = world
        .verb("compress", json!({"root": "/", "files": ["other"]}))
        .await;
    assert_ne!(again.json()["name"], name);

    std::fs::create_dir(world.folder().join("in")).unwrap();
    std::fs::rename(world.folder().join(&name), world.folder().join("in/a.zip")).unwrap();
    world
        .verb("decompress", json!({"root": "in", "file": "a.zip"}))
        .await
        .done();
    assert_eq!(world.text("in/logs/latest.log"), "a line");
    assert_eq!(world.text("in/plugins/a.jar"), "jar");
    assert!(!world.folder().join("in/other").exists());
}

#[tokio::test]
async fn what_cannot_be_packed_or_unpacked() {
    let world = World::new().await;
    world.put("eula.txt", "eula=true");
    world.put("bad.zip", "PK\x03\x04 and no more");
    world
        .verb("compress", json!({"root": "/", "files": []}))
        .await
        .refused(422, "No files were passed through to be compressed.");
    let unpack = |file| world.verb("decompress", json!({"root": "/", "file": file}));
    unpack("gone.zip").await.refused(404, GONE);
    unpack("eula.txt").await.refused(
        400,
        "The archive provided is in a format Wings does not understand.",
    );
    unpack("bad.zip").await.refused(
        400,
        "The archive provided is damaged or encrypted and cannot be read.",
    );
    assert_eq!(world.names(), ["bad.zip", "eula.txt"]);
}

#[tokio::test]
async fn a_folder_of_a_hundred_thousand_files_is_listed() {
    const COUNT: usize = 100_000;
    let world = World::new().await;
    for number in 0..COUNT {
        world.put(&format!("many/{number:06}"), "");
    }
    let node = hatchery_node_proto::NodeClient::new(
        world.node.protocol_service(),
        hatchery_node_proto::NodeToken::new(TOKEN),
    )
    .unwrap();
    let entries = node.list_directory(world.server, "/many").await.unwrap();
    assert_eq!(entries.len(), COUNT);
    let last = entries.last().unwrap();
    assert_eq!((last.name.as_str(), last.size), ("099999", 0));

    world.put("many/one too many", "");
    world
        .files("GET", "list-directory?directory=many", "")
        .await
        .refused(
            400,
            "Cannot perform that action: there are too many files in this directory.",
        );
}
