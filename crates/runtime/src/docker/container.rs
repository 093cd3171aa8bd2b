//! What is asked of the engine for one container: pure, from our words to its JSON
//! (node-protocol.md §5.9 and §6).

use std::net::IpAddr;

use hatchery_vocab::{ServerUuid, Swap};
use serde_json::{Map, Value, json};

use super::config::DockerConfig;
use crate::{BindMount, InstallSpec, InstanceSpec, Job, PortBinding, ResourceLimits};

/// What the reference puts on its containers too, for those who look for them.
const SERVICE: (&str, &str) = ("Service", "Pterodactyl");
/// The label by which a node finds its own containers again.
pub(super) const NODE: &str = "HatcheryNode";
/// The label that says what a container is for.
const KIND: &str = "ContainerType";

/// Where a game's container has the server's folder.
const GAME_FOLDER: &str = "/home/container";
/// Where an installation has it.
const INSTALL_FOLDER: &str = "/mnt/server";
/// Where an installation finds its script.
pub(super) const SCRIPT: &str = "/mnt/install/install.sh";

/// What a game never needs.
const GAME_DROPS: [&str; 10] = [
    "setpcap",
    "mknod",
    "audit_write",
    "net_raw",
    "dac_override",
    "fowner",
    "fsetid",
    "net_bind_service",
    "sys_chroot",
    "setfcap",
];

/// What an installation never needs. Package managers change users, owners and file capabilities,
/// so it keeps more than a game; the reference takes nothing away.
const INSTALL_DROPS: [&str; 5] = ["setpcap", "mknod", "audit_write", "net_raw", "sys_chroot"];

/// The period in microseconds over which the processor share is dealt out.
const CPU_PERIOD: i64 = 100_000;

/// The container's name.
pub(super) fn name(server: ServerUuid, job: Job) -> String {
    match job {
        Job::Game => server.to_string(),
        Job::Install => format!("{server}_installer"),
    }
}

/// Whose container has this name, and what for; nothing for names that are not ours.
pub(super) fn parse_name(name: &str) -> Option<(ServerUuid, Job)> {
    let name = name.trim_start_matches('/');
    let (server, job) = match name.strip_suffix("_installer") {
        Some(server) => (server, Job::Install),
        None => (name, Job::Game),
    };
    Some((server.parse().ok()?, job))
}

/// The image's name for the engine: a leading `~` only says that it is local.
pub(super) fn image(image: &str) -> &str {
    image.strip_prefix('~').unwrap_or(image)
}

/// The body that creates a game's container.
pub(super) fn game(config: &DockerConfig, interface: IpAddr, spec: &InstanceSpec) -> Value {
    let (exposed, bindings) = ports(config, interface, &spec.ports);
    let (uid, gid) = config.user;
    let mut mounts = vec![bind(&spec.root, GAME_FOLDER.as_ref(), false)];
    mounts.extend(spec.mounts.iter().map(
        |BindMount {
             source,
             target,
             read_only,
         }| bind(source, target, *read_only),
    ));
    let mut body = common(
        config,
        Job::Game,
        &spec.server.to_string(),
        &spec.environment,
        &spec.labels,
    );
    let own = json!({
        "Domainname": config.domainname,
        "User": format!("{uid}:{gid}"),
        "Image": image(&spec.image),
        "ExposedPorts": exposed,
    });
    let host = json!({
        "Mounts": mounts,
        "PortBindings": bindings,
        "ReadonlyRootfs": true,
        "CapDrop": GAME_DROPS,
    });
    merge(&mut body, own);
    merge(&mut body["HostConfig"], host);
    merge(&mut body["HostConfig"], limits(&spec.limits));
    body
}

/// The body that creates an installation's container. It runs as the image's own user, usually
/// root, as installation scripts expect.
pub(super) fn installation(config: &DockerConfig, spec: &InstallSpec) -> Value {
    let mut body = common(config, Job::Install, "installer", &spec.environment, &[]);
    merge(
        &mut body,
        json!({"Image": image(&spec.image), "Cmd": [spec.entrypoint, SCRIPT]}),
    );
    let host = json!({
        "Mounts": [bind(&spec.root, INSTALL_FOLDER.as_ref(), false)],
        "CapDrop": INSTALL_DROPS,
    });
    merge(&mut body["HostConfig"], host);
    merge(&mut body["HostConfig"], limits(&spec.limits));
    body
}

/// The bounds as the engine has them, for a new container and a running one alike.
pub(super) fn limits(limits: &ResourceLimits) -> Value {
    let memory = limits.memory.bytes();
    let swap = match limits.swap {
        Swap::Unlimited => -1,
        // The engine wants the sum of both.
        Swap::Limited(swap) if memory > 0 => saturating(memory.saturating_add(swap.bytes())),
        Swap::Limited(_) => 0,
    };
    let mut body = json!({
        "Memory": saturating(memory),
        "MemoryReservation": saturating(memory),
        "MemorySwap": swap,
        "BlkioWeight": limits.io_weight,
        "PidsLimit": limits.pids,
        "OomKillDisable": limits.oom_kill_disabled,
    });
    if limits.cpu.get() > 0 {
        let quota = i64::from(limits.cpu.get()) * CPU_PERIOD / 100;
        merge(
            &mut body,
            json!({"CpuQuota": quota, "CpuPeriod": CPU_PERIOD, "CpuShares": 1024}),
        );
    }
    if let Some(threads) = &limits.threads {
        body["CpusetCpus"] = json!(threads);
    }
    body
}

fn common(
    config: &DockerConfig,
    job: Job,
    hostname: &str,
    environment: &[(String, String)],
    labels: &[(String, String)],
) -> Value {
    let kind = match job {
        Job::Game => "server_process",
        Job::Install => "server_installer",
    };
    let mut all: Map<_, _> = labels
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    all.insert(SERVICE.0.to_owned(), json!(SERVICE.1));
    all.insert(NODE.to_owned(), json!(config.node));
    all.insert(KIND.to_owned(), json!(kind));
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut body = json!({
        "Hostname": hostname,
        "AttachStdin": true,
        "AttachStdout": true,
        "AttachStderr": true,
        "OpenStdin": true,
        "Tty": true,
        "Env": environment,
        "Labels": all,
        "HostConfig": {
            "Tmpfs": {"/tmp": format!("rw,exec,nosuid,size={}M", config.tmpfs_mib)},
            "Dns": config.network.dns,
            "SecurityOpt": ["no-new-privileges"],
            "NetworkMode": config.network.mode,
            "UsernsMode": config.userns_mode,
        },
    });
    if !config.log_driver.is_empty() {
        let options: Map<_, _> = config
            .log_options
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        body["HostConfig"]["LogConfig"] = json!({"Type": config.log_driver, "Config": options});
    }
    body
}

/// The ports to expose and where to bind them. A server on 127.0.0.1 is bound to the host's address
/// in the containers' network, so that other containers reach it and nobody else does.
fn ports(config: &DockerConfig, interface: IpAddr, ports: &[PortBinding]) -> (Value, Value) {
    let (mut exposed, mut bindings) = (Map::new(), Map::<String, Value>::new());
    for PortBinding { ip, port } in ports {
        if ip.is_loopback() && config.network.ispn {
            continue;
        }
        let host = if ip.is_loopback() { interface } else { *ip };
        for protocol in ["tcp", "udp"] {
            let inside = format!("{port}/{protocol}");
            let binding = json!({"HostIp": host.to_string(), "HostPort": port.to_string()});
            exposed.insert(inside.clone(), json!({}));
            if let Value::Array(all) = bindings.entry(inside).or_insert_with(|| json!([])) {
                all.push(binding);
            }
        }
    }
    (exposed.into(), bindings.into())
}

fn bind(source: &std::path::Path, target: &std::path::Path, read_only: bool) -> Value {
    // The engine runs in another folder than we do.
    let source = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
    json!({"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only})
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

fn saturating(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use hatchery_vocab::{CpuPercent, MiB, Port};

    use super::*;

    const UUID: &str = "f3f95466-7e8b-42a4-8504-6e7055874e39";

    fn some_limits() -> ResourceLimits {
        ResourceLimits {
            memory: MiB::new(1024),
            swap: Swap::Limited(MiB::new(512)),
            cpu: CpuPercent::new(150),
            threads: Some("0,2-3".to_owned()),
            io_weight: 500,
            pids: 512,
            oom_kill_disabled: false,
        }
    }

    fn binding(ip: &str, port: u16) -> PortBinding {
        PortBinding {
            ip: ip.parse().unwrap(),
            port: Port::new(port).unwrap(),
        }
    }

    #[test]
    fn a_game_s_container_is_as_the_protocol_says() {
        let config = DockerConfig::new("/run/docker.sock".into(), "/srv".to_owned(), (988, 989));
        let spec = InstanceSpec {
            server: UUID.parse().unwrap(),
            root: "/srv/volumes/one".into(),
            invocation: "./run".to_owned(),
            environment: vec![
                ("TZ".to_owned(), "UTC".to_owned()),
                ("A".to_owned(), "b=c".to_owned()),
            ],
            image: "~ghcr.io/x/y:z".to_owned(),
            limits: some_limits(),
            ports: vec![
                binding("0.0.0.0", 25565),
                binding("127.0.0.1", 25566),
                binding("::", 25565),
            ],
            mounts: vec![BindMount {
                source: "/srv/maps".into(),
                target: "/maps".into(),
                read_only: true,
            }],
            labels: vec![
                ("team".to_owned(), "red".to_owned()),
                ("HatcheryNode".to_owned(), "forged".to_owned()),
            ],
        };
        let body = game(&config, config.network.interface, &spec);
        let expected = json!({
            "Hostname": UUID,
            "AttachStdin": true,
            "AttachStdout": true,
            "AttachStderr": true,
            "OpenStdin": true,
            "Tty": true,
            "Env": ["TZ=UTC", "A=b=c"],
            "Labels": {"team": "red", "Service": "Pterodactyl", "HatcheryNode": "/srv", "ContainerType": "server_process"},
            "HostConfig": {
                "Tmpfs": {"/tmp": "rw,exec,nosuid,size=100M"},
                "Dns": ["1.1.1.1", "1.0.0.1"],
                "SecurityOpt": ["no-new-privileges"],
                "NetworkMode": "pterodactyl_nw",
                "UsernsMode": "",
                "LogConfig": {"Type": "local", "Config": {
                    "max-size": "5m", "max-file": "1", "compress": "false", "mode": "non-blocking",
                }},
                "Mounts": [
                    {"Type": "bind", "Source": "/srv/volumes/one", "Target": "/home/container", "ReadOnly": false},
                    {"Type": "bind", "Source": "/srv/maps", "Target": "/maps", "ReadOnly": true},
                ],
                "PortBindings": {
                    "25565/tcp": [
                        {"HostIp": "0.0.0.0", "HostPort": "25565"}, {"HostIp": "::", "HostPort": "25565"},
                    ],
                    "25565/udp": [
                        {"HostIp": "0.0.0.0", "HostPort": "25565"}, {"HostIp": "::", "HostPort": "25565"},
                    ],
                    "25566/tcp": [{"HostIp": "172.18.0.1", "HostPort": "25566"}],
                    "25566/udp": [{"HostIp": "172.18.0.1", "HostPort": "25566"}],
                },
                "ReadonlyRootfs": true,
                "CapDrop": GAME_DROPS,
                "Memory": 1_073_741_824,
                "MemoryReservation": 1_073_741_824,
                "MemorySwap": 1_610_612_736,
                "BlkioWeight": 500,
                "PidsLimit": 512,
                "OomKillDisable": false,
                "CpuQuota": 150_000,
                "CpuPeriod": 100_000,
                "CpuShares": 1024,
                "CpusetCpus": "0,2-3",
            },
            "Domainname": "",
            "User": "988:989",
            "Image": "ghcr.io/x/y:z",
            "ExposedPorts": {"25565/tcp": {}, "25565/udp": {}, "25566/tcp": {}, "25566/udp": {}},
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_installation_is_bounded_and_unprivileged_too() {
        let config = DockerConfig::new("/run/docker.sock".into(), "/srv".to_owned(), (988, 988));
        let spec = InstallSpec {
            server: UUID.parse().unwrap(),
            root: "/srv/volumes/one".into(),
            entrypoint: "ash".to_owned(),
            script: "echo".to_owned(),
            environment: Vec::new(),
            image: "alpine".to_owned(),
            limits: some_limits(),
        };
        let body = installation(&config, &spec);
        assert_eq!(body["Cmd"], json!(["ash", "/mnt/install/install.sh"]));
        assert_eq!(body["Labels"]["ContainerType"], "server_installer");
        assert_eq!(body["Hostname"], "installer");
        assert!(body.get("User").is_none());
        let host = &body["HostConfig"];
        assert_eq!(
            (&host["PidsLimit"], &host["Memory"]),
            (&json!(512), &json!(1_073_741_824))
        );
        assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
        assert_eq!(host["Mounts"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn no_limit_means_none() {
        let unlimited = ResourceLimits {
            memory: MiB::new(0),
            swap: Swap::Unlimited,
            cpu: CpuPercent::new(0),
            threads: None,
            ..some_limits()
        };
        let body = limits(&unlimited);
        assert_eq!(
            (&body["Memory"], &body["MemorySwap"]),
            (&json!(0), &json!(-1))
        );
        assert!(body.get("CpuQuota").is_none() && body.get("CpusetCpus").is_none());
        assert_eq!(body["PidsLimit"], 512);
    }

    #[test]
    fn names_tell_server_and_job() {
        let server: ServerUuid = UUID.parse().unwrap();
        for job in [Job::Game, Job::Install] {
            assert_eq!(
                parse_name(&format!("/{}", name(server, job))),
                Some((server, job))
            );
        }
        assert_eq!(parse_name("/postgres"), None);
    }

    #[test]
    fn local_bindings_can_be_left_out() {
        let mut config =
            DockerConfig::new("/run/docker.sock".into(), "/srv".to_owned(), (988, 988));
        config.network.ispn = true;
        let (exposed, bindings) = ports(
            &config,
            config.network.interface,
            &[binding("127.0.0.1", 25565)],
        );
        assert_eq!((exposed, bindings), (json!({}), json!({})));
    }
}
