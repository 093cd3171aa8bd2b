//! The port of the game. Over TCP players speak in lines: `ping`, `status`, `join NAME`,
//! `say TEXT`, `quit`. Over UDP a `ping` is answered, as server browsers do.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::house::{House, MAX_VISITORS};

/// The longest line that a player can send, in bytes.
const MAX_LINE: u64 = 512;
/// How long a player may be silent.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long a player may not take what is sent to him.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);
/// How many connections may be open, players and those who only look.
const MAX_CONNECTIONS: usize = 2 * MAX_VISITORS;

/// Opens both sockets and serves them on threads of their own. Port 0 picks a free one.
pub(crate) fn listen(address: SocketAddr, house: &Arc<House>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let socket = UdpSocket::bind(address)?;
    let (for_players, for_pings) = (Arc::clone(house), Arc::clone(house));
    thread::Builder::new()
        .name("players".to_owned())
        .spawn(move || accept(&listener, &for_players))?;
    thread::Builder::new()
        .name("pings".to_owned())
        .spawn(move || answer_pings(&socket, &for_pings))?;
    Ok(address)
}

fn answer_pings(socket: &UdpSocket, house: &House) {
    let mut packet = [0; 64];
    loop {
        // An error here belongs to one packet. An answer is hardly longer than its question, so that
        // nobody can be flooded in somebody else's name.
        let Ok((length, sender)) = socket.recv_from(&mut packet) else {
            continue;
        };
        if packet[..length].trim_ascii() == b"ping" {
            let _ = socket.send_to(format!("pong {}", house.visitors()).as_bytes(), sender);
        }
    }
}

fn accept(listener: &TcpListener, house: &Arc<House>) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        let Ok(mut connection) = connection else {
            // Out of descriptors, most likely: give others time to leave.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        if open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            let _ = connection.write_all(b"the house is full\n");
            continue;
        }
        let (house, counter) = (Arc::clone(house), Arc::clone(&open));
        let served = thread::Builder::new()
            .name("player".to_owned())
            .spawn(move || {
                let mut name = None;
                // However the conversation ends, the player is gone.
                let _ = serve(&connection, &house, &mut name);
                if let Some(name) = name {
                    house.leave(&name);
                }
                counter.fetch_sub(1, Ordering::AcqRel);
            });
        if served.is_err() {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn serve(connection: &TcpStream, house: &House, name: &mut Option<String>) -> io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(WRITE_PATIENCE))?;
    let (mut input, mut output) = (BufReader::new(connection), connection);
    writeln!(
        output,
        "Welcome to the hen house: ping, status, join NAME, say TEXT, quit"
    )?;
    let mut line = Vec::new();
    while input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        let text = text.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (word, name.as_deref()) {
            ("ping", _) => writeln!(output, "pong")?,
            ("status", _) => {
                writeln!(output, "players={} hens={}", house.visitors(), house.hens())?;
            }
            ("join", None) => match house.join(rest, connection.try_clone()?) {
                Ok(joined) => {
                    writeln!(output, "hello {joined}")?;
                    *name = Some(joined);
                }
                Err(reason) => writeln!(output, "sorry, {reason}")?,
            },
            ("say", Some(name)) => house.chat(name, rest),
            ("quit", _) => return Ok(()),
            _ => writeln!(output, "cluck?")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (SocketAddr, Arc<House>) {
        let house = Arc::new(House::default());
        (
            listen("127.0.0.1:0".parse().unwrap(), &house).unwrap(),
            house,
        )
    }

    struct Player(BufReader<TcpStream>);

    impl Player {
        fn connect(address: SocketAddr) -> Self {
            let mut player = Self(BufReader::new(TcpStream::connect(address).unwrap()));
            assert!(player.hear().starts_with("Welcome"));
            player
        }

        fn tell(&mut self, line: &str) -> String {
            writeln!(self.0.get_mut(), "{line}").unwrap();
            self.hear()
        }

        fn hear(&mut self) -> String {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        }
    }

    #[test]
    fn players_join_talk_and_leave() {
        let (address, house) = open();
        let (mut anna, mut ben) = (Player::connect(address), Player::connect(address));
        assert_eq!(anna.tell("ping"), "pong");
        assert_eq!(anna.tell("say too early"), "cluck?");
        assert_eq!(anna.tell("join"), "sorry, say who you are: join NAME");
        assert_eq!(anna.tell("join Anna"), "hello Anna");
        assert_eq!(
            ben.tell("join Anna"),
            "sorry, somebody of that name is here already"
        );
        assert_eq!(ben.tell("join Ben\u{7}"), "hello Ben");
        assert_eq!(anna.tell("status"), "players=2 hens=3");
        assert_eq!(anna.tell("say hello"), "<Anna> hello");
        assert_eq!(ben.hear(), "<Anna> hello");
        assert_eq!(ben.tell("quit"), "");
        house.chat("Farmer", "good evening");
        assert_eq!(anna.hear(), "<Farmer> good evening");
    }

    #[test]
    fn a_house_that_is_full_says_so() {
        let (address, _house) = open();
        let mut players: Vec<_> = (0..MAX_VISITORS)
            .map(|_| Player::connect(address))
            .collect();
        for (number, player) in players.iter_mut().enumerate() {
            assert_eq!(
                player.tell(&format!("join P{number}")),
                format!("hello P{number}")
            );
        }
        assert_eq!(
            Player::connect(address).tell("join Late"),
            "sorry, the house is full"
        );
    }

    #[test]
    fn a_ping_is_answered_over_udp() {
        let (address, _house) = open();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"something else", address).unwrap();
        socket.send_to(b"ping\n", address).unwrap();
        let mut answer = [0; 64];
        let length = socket.recv(&mut answer).unwrap();
        assert_eq!(&answer[..length], b"pong 0");
    }
}
