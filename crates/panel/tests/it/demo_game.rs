//! The game inside the binary.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal};

use crate::harness::Place;

struct Game {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    port: u16,
}

impl Game {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["demo-game", "--port", "0"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut game = Self {
            child,
            output,
            port: 0,
        };
        let ready = game.line_with("The hen house is open on port ");
        game.port = ready
            .split("port ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        game
    }

    fn line_with(&mut self, part: &str) -> String {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if line.contains(part) {
                return line;
            }
            line.clear();
        }
        panic!("{part:?} was never printed");
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Game {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }
}

#[test]
fn it_talks_on_its_console_and_on_its_port_and_ends_when_told() {
    let place = Place::new();
    let mut game = Game::start(&place);
    game.type_line("say hello");
    game.line_with("<Farmer> hello");
    game.type_line("dance");
    game.line_with("Unknown command \"dance\"");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"ping", ("127.0.0.1", game.port)).unwrap();
    let mut answer = [0; 16];
    assert_eq!(socket.recv(&mut answer).unwrap(), b"pong 0".len());
    let mut player = TcpStream::connect(("127.0.0.1", game.port)).unwrap();
    player.write_all(b"join Ben\n").unwrap();
    game.line_with("Ben joined");
    game.type_line("flood 1000");
    game.line_with("cluck 1000 of 1000");
    game.type_line("stop");
    game.line_with("Good night");
    assert_eq!(game.end(), Some(0));
    let log = place.path().join("logs/latest.log");
    assert!(log.metadata().unwrap().len() > 1000);
    assert!(place.path().join("motd.txt").is_file());
}

#[test]
fn signals_end_it_unless_it_is_deaf_and_a_crash_is_a_crash() {
    let place = Place::new();
    for signal in [Signal::INT, Signal::TERM] {
        let game = Game::start(&place);
        rustix::process::kill_process(Pid::from_child(&game.child), signal).unwrap();
        assert_eq!(game.end(), Some(0));
    }
    let mut game = Game::start(&place);
    game.type_line("deaf");
    game.line_with("ears");
    game.type_line("stop");
    game.line_with("do not care");
    rustix::process::kill_process(Pid::from_child(&game.child), Signal::TERM).unwrap();
    game.line_with("do not care");
    game.type_line("crash");
    assert_eq!(game.end(), Some(3));
}

#[test]
fn a_port_in_use_is_named() {
    let place = Place::new();
    let game = Game::start(&place);
    let output = place.run(&["demo-game", "--port", &game.port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(&format!("cannot open port {}", game.port)),
        "{said}"
    );
    assert_eq!(place.run(&["demo-game"]).status.code(), Some(1));
}
