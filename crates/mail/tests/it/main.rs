//! Letters on their way: to a mail server that has its moods, and into a folder.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hatchery_ambient::{ManualClock, SeededEntropy};
use hatchery_mail::{
    Encryption, Letter, MailError, MailSettings, Mailer, Recipient, Retries, Route, Sender,
    SmtpSettings,
};
use hatchery_vocab::{Port, Timestamp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const RETRIES: Retries = Retries {
    attempts: 3,
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_millis(10),
};
const ANNA: Recipient<'_> = Recipient {
    name: "Anna\r\nBcc: eve@example.com",
    address: "anna@example.com",
};

fn mailer(route: Route, from: &str) -> Result<Mailer, MailError> {
    let settings = MailSettings {
        panel: "Anna's\r\npanel".to_owned(),
        url: "https://panel.test".to_owned(),
        sender: Sender {
            name: "Anna's\r\npanel".to_owned(),
            address: from.to_owned(),
        },
        route,
        retries: RETRIES,
    };
    let clock = ManualClock::new(Timestamp::from_seconds(1_767_225_600));
    Mailer::new(settings, Arc::new(clock), Arc::new(SeededEntropy::new(1)))
}

fn server_at(address: SocketAddr) -> Route {
    Route::Smtp(SmtpSettings {
        host: address.ip().to_string(),
        port: Port::new(address.port()),
        encryption: Encryption::None,
        credentials: None,
        authority: None,
    })
}

/// How a mail server answers to the sender's name.
#[derive(Clone, Copy)]
enum Mood {
    Welcoming,
    Busy,
    Refusing,
}

/// Serves one connection for each mood, and tells what it was sent.
async fn serve(listener: TcpListener, moods: &[Mood], told: mpsc::Sender<String>) {
    for mood in moods {
        let (stream, _) = listener.accept().await.unwrap();
        let said = converse(stream, *mood).await;
        told.send(said).await.unwrap();
    }
}

async fn converse(stream: TcpStream, mood: Mood) -> String {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await.unwrap();
    let (mut said, mut in_letter) = (String::new(), false);
    loop {
        let mut line = String::new();
        // Some clients just go.
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return said;
        }
        said.push_str(&line);
        let answer = match (line.trim_end(), mood) {
            (".", _) if in_letter => {
                in_letter = false;
                "250 taken"
            }
            _ if in_letter => continue,
            (line, Mood::Busy) if line.starts_with("MAIL") => "451 later",
            (line, Mood::Refusing) if line.starts_with("MAIL") => "550 never",
            ("DATA", _) => {
                in_letter = true;
                "354 go on"
            }
            ("QUIT", _) => "221 bye",
            _ => "250 ok",
        };
        if stream
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .is_err()
        {
            return said;
        }
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn a_busy_server_gets_the_letter_later_and_one_that_refuses_does_not() {
    let (listener, address) = listener().await;
    let mailer = mailer(server_at(address), "panel@example.com").unwrap();
    let (told, mut heard) = mpsc::channel(1);
    tokio::spawn(serve(
        listener,
        &[Mood::Busy, Mood::Welcoming, Mood::Refusing, Mood::Welcoming],
        told,
    ));
    mailer.send(ANNA, Letter::PasswordChanged);
    let delivery = tokio::spawn({
        let mailer = mailer.clone();
        async move { mailer.deliver().await }
    });
    assert!(!heard.recv().await.unwrap().contains("Subject:"));
    let letter = heard.recv().await.unwrap();
    for line in [
        "MAIL FROM:<panel@example.com>",
        "RCPT TO:<anna@example.com>",
        "Subject: Your password on Anna's panel was changed\r\n",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n",
        "@example.com>\r\n",
        "Content-Type: multipart/alternative",
    ] {
        assert!(letter.contains(line), "{line}\n{letter}");
    }
    assert!(
        !letter.lines().any(|line| line.starts_with("Bcc")),
        "a name cannot add a header: {letter}"
    );
    mailer.send(ANNA, Letter::TwoFactorEnabled);
    mailer.send(ANNA, Letter::TwoFactorDisabled);
    assert!(!heard.recv().await.unwrap().contains("Subject:"));
    assert!(heard.recv().await.unwrap().contains("is off"));
    delivery.abort();
}

#[tokio::test]
async fn a_server_that_is_gone_is_given_up() {
    let (listener, address) = listener().await;
    drop(listener);
    let mailer = mailer(server_at(address), "panel@example.com").unwrap();
    mailer.send(ANNA, Letter::PasswordChanged);
    let delivery = tokio::spawn({
        let mailer = mailer.clone();
        async move { mailer.deliver().await }
    });
    while mailer.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    delivery.abort();
}

#[tokio::test]
async fn without_a_server_letters_are_files() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("mail");
    let mailer = mailer(Route::Folder(folder.clone()), "panel@example.com").unwrap();
    mailer.send(ANNA, Letter::PasswordChanged);
    let nowhere = Recipient {
        name: "x",
        address: "no address\r\nat all",
    };
    mailer.send(nowhere, Letter::PasswordChanged);
    let delivery = tokio::spawn({
        let mailer = mailer.clone();
        async move { mailer.deliver().await }
    });
    while mailer.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    delivery.abort();
    assert_eq!(folder.read_dir().unwrap().count(), 1);
}

#[test]
fn a_sender_without_an_address_is_told_at_the_start() {
    let error = mailer(Route::Folder("x".into()), "nobody").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`nobody` is no e-mail address: correct mail.from_address"
    );
}
