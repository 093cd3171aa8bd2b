//! The types of settings, and how each is written.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use hatchery_vocab::{MiB, Port};
use ipnet::IpNet;
use jiff::tz::TimeZone;

/// A value that can be written as text: in the environment, as a flag, or in a file, where a list
/// is the same as its entries with commas between them.
pub trait Setting: Sized {
    /// What values look like, to follow "is not" and "expected".
    const KIND: &'static str;

    /// Reads the text; nothing when it is no such value.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! parsed {
    ($($type:ty: $kind:literal,)*) => {$(
        impl Setting for $type {
            const KIND: &'static str = $kind;

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

parsed! {
    IpAddr: "an IP address",
    NonZeroU32: "a whole number above 0",
    bool: "true or false",
    SocketAddr: "an address and port such as 127.0.0.1:8080 or [::1]:8080",
    u32: "a whole number",
}

impl Setting for String {
    const KIND: &'static str = "a text";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Setting for PathBuf {
    const KIND: &'static str = "a path";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.into())
    }
}

impl Setting for MiB {
    const KIND: &'static str = "a whole number of MiB";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::new)
    }
}

impl Setting for Port {
    const KIND: &'static str = "a port";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::new)
    }
}

/// A time zone by its name in the time zone database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone itself.
    pub fn get(&self) -> TimeZone {
        self.0.clone()
    }
}

impl Setting for Zone {
    const KIND: &'static str = "a time zone such as Europe/Berlin";

    fn read(text: &str) -> Option<Self> {
        TimeZone::get(text).ok().map(Self)
    }
}

/// A text that nobody may read in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl Setting for SecretText {
    const KIND: &'static str = "a text";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: &'static str = T::KIND;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(None)
        } else {
            T::read(text).map(Some)
        }
    }
}

impl Setting for Vec<String> {
    const KIND: &'static str = "a list of texts";

    fn read(text: &str) -> Option<Self> {
        Some(entries(text).map(str::to_owned).collect())
    }
}

impl Setting for Vec<IpNet> {
    const KIND: &'static str = "a list of addresses and networks such as 10.0.0.0/8";

    fn read(text: &str) -> Option<Self> {
        entries(text)
            .map(|entry| {
                entry
                    .parse()
                    .ok()
                    .or_else(|| entry.parse().ok().map(|address: IpAddr| address.into()))
            })
            .collect()
    }
}

impl Setting for Vec<PathBuf> {
    const KIND: &'static str = "a list of paths";

    fn read(text: &str) -> Option<Self> {
        Some(entries(text).map(PathBuf::from).collect())
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident ($kind:literal) { $($(#[$choice_doc:meta])* $choice:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$choice_doc])* $choice,)*
        }

        impl Setting for $name {
            const KIND: &'static str = $kind;

            fn read(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$choice),)*
                    _ => None,
                }
            }
        }
    )*};
}

choices! {
    /// Where an address names a bucket.
    AddressStyle ("one of host, path") {
        /// In the host.
        Host = "host",
        /// In the path.
        Path = "path",
    }

    /// Who keeps new backups.
    BackupDriver ("one of wings, s3") {
        /// The server's node.
        Wings = "wings",
        /// The bucket.
        S3 = "s3",
    }

    /// How lines of the log look.
    LogFormat ("one of auto, human, json") {
        /// Human on a terminal, JSON elsewhere.
        Auto = "auto",
        /// One readable line.
        Human = "human",
        /// One JSON object per line.
        Json = "json",
    }

    /// Which lines are written to the log.
    LogLevel ("one of error, warn, info, debug, trace") {
        /// What somebody must look at.
        Error = "error",
        /// What somebody should look at.
        Warn = "warn",
        /// What happens.
        Info = "info",
        /// What helps to find a mistake.
        Debug = "debug",
        /// Everything; a release build leaves these out.
        Trace = "trace",
    }

    /// Who may read the metrics.
    MetricsAccess ("one of off, loopback, everybody") {
        /// Nobody.
        Off = "off",
        /// Programs on this machine.
        Loopback = "loopback",
        /// Whoever can reach the panel.
        Everybody = "everybody",
    }

    /// How the connection to the mail server is protected.
    MailEncryption ("one of none, starttls, tls") {
        /// Not at all.
        None = "none",
        /// It begins in the clear and must go over to TLS.
        StartTls = "starttls",
        /// TLS from the first byte.
        Tls = "tls",
    }

    /// What runs the games.
    RuntimeChoice ("one of auto, process, docker") {
        /// Containers where an engine answers, processes elsewhere.
        Auto = "auto",
        /// Sandboxed processes.
        Process = "process",
        /// Containers.
        Docker = "docker",
    }

    /// Who must use two-factor authentication (client-api.md §1.6).
    TwoFactorRule ("one of none, admins, everybody") {
        /// Nobody must.
        None = "none",
        /// Administrators must.
        Admins = "admins",
        /// Everybody must.
        Everybody = "everybody",
    }
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// An SQLite file in the data folder.
    Default,
    /// An SQLite file elsewhere.
    File(PathBuf),
    /// A PostgreSQL server: a URL that holds a password.
    Postgres(String),
}

impl Setting for Database {
    const KIND: &'static str = "a postgres:// URL or the path of an SQLite file";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(Self::Default)
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Some(Self::Postgres(text.to_owned()))
        } else if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            (!path.is_empty()).then(|| Self::File(path.into()))
        } else if text.contains("://") {
            None
        } else {
            Some(Self::File(text.into()))
        }
    }
}

impl fmt::Debug for Database {
    /// Without the URL, which holds a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// Scheme, host and port of a web address, without anything after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The address without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Origin {
    const KIND: &'static str = "an address such as https://panel.example.com";

    fn read(text: &str) -> Option<Self> {
        let origin = text.trim_end_matches('/');
        let authority = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let valid =
            !authority.is_empty() && !authority.starts_with(':') && authority.bytes().all(plain);
        valid.then(|| Self(origin.to_owned()))
    }
}

/// The web pages of others that may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// All.
    Any,
    /// Those of these addresses.
    These(Vec<Origin>),
}

impl Setting for AllowedOrigins {
    const KIND: &'static str = "`*`, or a list of addresses such as https://status.example.com";

    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        entries(text)
            .map(Origin::read)
            .collect::<Option<_>>()
            .map(Self::These)
    }
}

/// Ports from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: Port,
    /// The highest port.
    pub last: Port,
}

/// Ports for game servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(Vec<PortRange>);

impl Ports {
    /// The ranges as they were written; they may overlap.
    pub fn ranges(&self) -> &[PortRange] {
        &self.0
    }
}

impl Setting for Ports {
    const KIND: &'static str = "a list of ports and ranges such as 25565-25600, 27015";

    fn read(text: &str) -> Option<Self> {
        let port = |text: &str| text.trim().parse().ok().and_then(Port::new);
        entries(text)
            .map(|entry| {
                let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
                let (first, last) = (port(first)?, port(last)?);
                (first <= last).then_some(PortRange { first, last })
            })
            .collect::<Option<_>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ports_are_single_ones_and_ranges() {
        let numbers = |text: &str| {
            let ports = Ports::read(text)?;
            Some(
                ports
                    .ranges()
                    .iter()
                    .map(|range| (range.first.get(), range.last.get()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(numbers("7, 3-5,4"), Some(vec![(7, 7), (3, 5), (4, 4)]));
        assert_eq!(numbers(""), Some(Vec::new()));
        for text in ["0", "5-3", "65536", "a", "1-", "-", "1-2-3"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    #[test]
    fn a_database_is_a_url_or_a_file() {
        assert_eq!(Database::read(""), Some(Database::Default));
        assert_eq!(
            Database::read("panel.db"),
            Some(Database::File("panel.db".into()))
        );
        assert_eq!(
            Database::read("sqlite:///var/lib/h.db"),
            Some(Database::File("/var/lib/h.db".into()))
        );
        assert_eq!(Database::read("mysql://localhost"), None);
        let postgres = Database::read("postgres://me:secret@localhost/panel").unwrap();
        assert!(!format!("{postgres:?}").contains("secret"));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_and_no_more() {
        for (text, origin) in [
            (
                "https://panel.example.com/",
                Some("https://panel.example.com"),
            ),
            (
                "http://[2001:db8::1]:8080",
                Some("http://[2001:db8::1]:8080"),
            ),
            ("panel.example.com", None),
            ("ftp://panel.example.com", None),
            ("https://", None),
            ("https://:80", None),
            ("https://me@panel.example.com", None),
            ("https://panel.example.com/path", None),
            ("https://panel.example.com?x", None),
        ] {
            assert_eq!(
                Origin::read(text).as_ref().map(Origin::as_str),
                origin,
                "{text}"
            );
        }
    }

    #[test]
    fn allowed_origins_are_a_list_or_a_star() {
        let allowed = |text: &str| AllowedOrigins::read(text);
        assert_eq!(allowed("*"), Some(AllowedOrigins::Any));
        assert_eq!(allowed(""), Some(AllowedOrigins::These(Vec::new())));
        let two =
            ["https://a.example", "http://b.example:81"].map(|text| Origin::read(text).unwrap());
        assert_eq!(
            allowed("https://a.example, http://b.example:81"),
            Some(AllowedOrigins::These(two.to_vec()))
        );
        assert_eq!(allowed("https://a.example, *"), None);
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let networks = Vec::<IpNet>::read("10.0.0.0/8, ::1").unwrap();
        assert_eq!(
            networks,
            [
                "10.0.0.0/8".parse().unwrap(),
                "::1/128".parse::<IpNet>().unwrap()
            ]
        );
        assert_eq!(Vec::<IpNet>::read("localhost"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = (Ports::read(&text), Database::read(&text), Vec::<IpNet>::read(&text), MiB::read(&text));
        }
    }
}
