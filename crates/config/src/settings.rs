//! The declaration of every setting: name, type, default, meaning.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use hatchery_vocab::{MiB, Port};
use ipnet::IpNet;

use crate::layers::{Layers, Problem};
use crate::value::{
    AddressStyle, AllowedOrigins, BackupDriver, Database, LogFormat, LogLevel, MailEncryption,
    MetricsAccess, Origin, Ports, RuntimeChoice, SecretText, Setting, TwoFactorRule, Zone,
};

/// One setting, for the reference and for finding misspelt names.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name, with its section and a dot before it where it has one.
    pub name: &'static str,
    /// What it does, one line of text per line.
    pub doc: &'static [&'static str],
    /// What values look like, such as `a whole number`.
    pub kind: &'static str,
    /// The default as it would be written; empty when there is none.
    pub default: &'static str,
}

/// Settings that belong together; a table in `hatchery.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The table's name; empty for the settings at the top.
    pub name: &'static str,
    /// What the section is about.
    pub doc: &'static [&'static str],
    /// Its settings.
    pub keys: &'static [Key],
}

macro_rules! settings {
    (
        $(#[doc = $doc:literal])*
        $settings:ident {
            top {
                $($(#[doc = $top_doc:literal])* $top:ident: $top_type:ty = $top_default:literal,)*
            }
            $($(#[doc = $section_doc:literal])* [$section:ident: $type:ident] {
                $($(#[doc = $key_doc:literal])* $key:ident: $key_type:ty = $default:literal,)*
            })*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $settings {
            $($(#[doc = $top_doc])* pub $top: $top_type,)*
            $($(#[doc = $section_doc])* pub $section: $type,)*
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Clone, Debug)]
            pub struct $type {
                $($(#[doc = $key_doc])* pub $key: $key_type,)*
            }
        )*

        impl $settings {
            /// Every section in the order of the reference, the one without a name first.
            pub const SECTIONS: &[Section] = &[
                Section {
                    name: "",
                    doc: &[],
                    keys: &[$(Key {
                        name: stringify!($top),
                        doc: &[$($top_doc),*],
                        kind: <$top_type as Setting>::KIND,
                        default: $top_default,
                    },)*],
                },
                $(Section {
                    name: stringify!($section),
                    doc: &[$($section_doc),*],
                    keys: &[$(Key {
                        name: concat!(stringify!($section), ".", stringify!($key)),
                        doc: &[$($key_doc),*],
                        kind: <$key_type as Setting>::KIND,
                        default: $default,
                    },)*],
                },)*
            ];

            /// The settings that the layers amount to, or everything that is wrong with them.
            pub fn from_layers(layers: &Layers) -> Result<Self, Vec<Problem>> {
                let mut problems = layers.misspelt();
                $(let $top = layers.read::<$top_type>(stringify!($top), $top_default, &mut problems);)*
                $(let $section = (|problems: &mut Vec<Problem>| {
                    $(let $key = layers.read::<$key_type>(
                        concat!(stringify!($section), ".", stringify!($key)), $default, problems);)*
                    Some($type { $($key: $key?,)* })
                })(&mut problems);)*
                let complete = (|| Some(Self { $($top: $top?,)* $($section: $section?,)* }))();
                match complete {
                    Some(settings) if problems.is_empty() => Ok(settings),
                    _ => Err(problems),
                }
            }
        }
    };
}

settings! {
    /// All settings of a panel and its embedded node.
    Settings {
        top {
            /// The folder that holds everything: database, keys, server files, logs.
            /// Created with access for its owner only.
            data_dir: PathBuf = "./data",
            /// The address and port that the panel answers on.
            /// When the port is taken at start, the next free one is used; port 0 picks any.
            listen: SocketAddr = "127.0.0.1:8080",
            /// Where the database is: `postgres://user:password@host/name`, or the path of an SQLite file.
            /// Empty means the file `panel.db` in the data folder.
            database: Database = "",
            /// The name that people see, in authenticator apps too.
            name: String = "Hatchery",
            /// The address at which browsers and programs reach the panel, such as `https://panel.example.com`.
            /// Empty means the address that the panel listens on. Links and WebSocket addresses begin with it.
            url: Option<Origin> = "",
            /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses and networks.
            /// Without any, the address of the connection is the client's address.
            trusted_proxies: Vec<IpNet> = "",
            /// Who must use two-factor authentication: `none`, `admins` or `everybody`.
            two_factor: TwoFactorRule = "none",
            /// Whether the API answers everything with 503, because somebody works on the panel. Games, consoles
            /// and links go on.
            maintenance: bool = "false",
            /// The time zone in which schedules are meant, such as `Europe/Berlin`.
            time_zone: Zone = "UTC",
        }

        /// Lines about what the program does. They go to standard error.
        [log: Log] {
            /// `human`, `json`, or `auto`: human on a terminal, JSON elsewhere.
            format: LogFormat = "auto",
            /// The least important lines that are written: `error`, `warn`, `info`, `debug` or `trace`.
            level: LogLevel = "info",
        }

        /// The listener.
        [http: Http] {
            /// How many connections may be open at once.
            max_connections: NonZeroU32 = "4096",
            /// How many of them one address may have; an IPv6 network counts as one. Trusted proxies may have all.
            max_connections_per_address: NonZeroU32 = "256",
            /// How many seconds a client may take to send the head of a request, and how long a connection
            /// may be silent between two requests.
            header_timeout: NonZeroU32 = "60",
            /// How many seconds a client may pause within the body of a request.
            body_timeout: NonZeroU32 = "30",
            /// How many seconds requests in flight may take to end when the panel stops.
            shutdown_timeout: u32 = "10",
            /// The largest body of a request to the API, in MiB; files that are written by the API count.
            /// Uploads by link have `node.upload_limit`.
            max_body: MiB = "100",
        }

        /// How often the client API may be called.
        [rate_limit: RateLimit] {
            /// Requests per minute for each API key, and for each user with a browser. 0 is no limit.
            per_minute: u32 = "240",
        }

        /// Web pages of others that call the API from a browser.
        [cors: Cors] {
            /// Their addresses, such as `https://status.example.com`, or `*` for all. With `*` a page needs a key:
            /// cookies are not for it.
            allowed_origins: AllowedOrigins = "",
        }

        /// Sign-in in a browser.
        [session: Session] {
            /// After how many minutes without a request a browser is signed out.
            lifetime: NonZeroU32 = "720",
        }

        /// How much work it is to hash a new password with argon2id. Lower values make stolen hashes
        /// easier to break.
        [password: PasswordHashing] {
            /// Memory for one hash in KiB.
            memory: NonZeroU32 = "19456",
            /// Passes over that memory.
            passes: NonZeroU32 = "2",
        }

        /// The server that sends mail: invitations, forgotten passwords, changes of sign-in settings.
        /// Without one, mails are written to the folder `mail` in the data folder, one file each, and the
        /// 200 newest are kept.
        [mail: Mail] {
            /// The name or address of the SMTP server. Empty means none.
            host: Option<String> = "",
            /// Its port. Empty means the usual one: 587 with `starttls`, 465 with `tls`, 25 with `none`.
            port: Option<Port> = "",
            /// How the connection is protected: `starttls`, `tls` (from the first byte), or `none` for a server
            /// on the same machine.
            encryption: MailEncryption = "starttls",
            /// A file with a certificate authority, as PEM, that is trusted as well: for a mail server whose
            /// certificate no public authority has signed.
            authority: Option<PathBuf> = "",
            /// The name to sign in to the server with. Empty means without signing in.
            username: Option<String> = "",
            /// The password to sign in to the server with.
            password: Option<SecretText> = "",
            /// The address that mail comes from.
            from_address: String = "no-reply@localhost",
            /// The name that mail comes from. Empty means the panel's name.
            from_name: Option<String> = "",
        }

        /// Addresses and ports that people add to their servers, as far as each server's limit allows.
        [client_allocations: ClientAllocations] {
            /// Whether they may. Free allocations of the server's own address are given out first.
            enabled: bool = "true",
            /// Ports that may be made into allocations when no allocation is free: single ones and ranges above
            /// 1024. Without any, nothing is made.
            ports: Ports = "",
        }

        /// Databases that users make for their servers. The hosts for them are added by
        /// `hatchery database-host create`.
        [client_databases: ClientDatabases] {
            /// Whether users may create databases.
            enabled: bool = "true",
            /// Whether a server whose node has no database host of its own may use any other host.
            any_host: bool = "true",
        }

        /// The log of what people did.
        [activity: Activity] {
            /// After how many days entries are deleted; 0 keeps them for ever.
            keep_days: u32 = "90",
            /// Whether the log of a server leaves out what administrators did who are neither its owner nor a
            /// subuser of it.
            hide_admins: bool = "false",
        }

        /// Backups of servers' files.
        [backups: Backups] {
            /// Who keeps new backups: `wings` (the server's node) or `s3` (the bucket of the section `s3`).
            driver: BackupDriver = "wings",
            /// How many backups of a server may be made within `backups.throttle_period`.
            throttle_limit: NonZeroU32 = "2",
            /// That time in seconds. 0 is no limit.
            throttle_period: u32 = "600",
            /// After how many minutes a backup that its node does not report on counts as failed.
            prune_age: NonZeroU32 = "360",
        }

        /// A bucket that speaks the S3 protocol, for backups. Without an access key there is none.
        [s3: S3] {
            /// The service, such as `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`.
            endpoint: Option<Origin> = "",
            /// The region of the bucket.
            region: String = "us-east-1",
            /// The bucket's name.
            bucket: Option<String> = "",
            /// The public half of the credentials.
            access_key: Option<String> = "",
            /// The secret half of the credentials.
            secret_key: Option<SecretText> = "",
            /// Where an address names the bucket: `host`, as Amazon wants it, or `path`, as most other services do.
            address_style: AddressStyle = "host",
            /// For how many minutes the addresses to which a node uploads a backup are valid.
            presigned_lifetime: NonZeroU32 = "60",
            /// How large each part of an upload is, in MiB.
            max_part_size: MiB = "5120",
        }

        /// Schedules of servers.
        [schedules: Schedules] {
            /// Whether this panel runs schedules when they are due. Of several panels over one database
            /// each may: none runs what another has begun. Running by hand works in any case.
            run: bool = "true",
            /// How many tasks a schedule may have.
            max_tasks: NonZeroU32 = "10",
        }

        /// `GET /metrics`, for Prometheus.
        [metrics: Metrics] {
            /// Who may read it: `off`, `loopback` (programs on this machine) or `everybody`.
            access: MetricsAccess = "loopback",
        }

        /// The embedded node, which runs game servers on this machine. Address, ports and limits are
        /// used when the node is created at the first start; later they are changed in the panel.
        [node: Node] {
            /// How games run: `process` (sandboxed processes), `docker` (containers of a Docker or Podman
            /// engine), or `auto`: containers where an engine answers, processes elsewhere.
            runtime: RuntimeChoice = "auto",
            /// The socket of the container engine.
            docker_socket: PathBuf = "/run/docker.sock",
            /// The folder with the servers' files. Empty means `volumes` in the data folder.
            volumes: Option<PathBuf> = "",
            /// Further folders of the machine that games run as processes may read, beside `/usr` and `/opt`:
            /// run-times and games that are installed elsewhere.
            visible: Vec<PathBuf> = "",
            /// The address on which game servers listen.
            address: IpAddr = "0.0.0.0",
            /// The ports that game servers may have: single ones and ranges.
            ports: Ports = "25565-25664",
            /// The memory that servers of this node may be given in all, in MiB. 0 means what the machine has.
            memory: MiB = "0",
            /// The disk space that servers of this node may be given in all, in MiB. 0 means what the disk has.
            disk: MiB = "0",
            /// The largest file that can be uploaded, in MiB.
            upload_limit: MiB = "100",
            /// Hosts in a private network from which people may have files fetched for their servers all
            /// the same, such as a mirror of your own; with commas between them.
            pull_hosts: Vec<String> = "",
        }
    }
}
