//! What letters say. Pure: values in, sentences out.

/// Whom a letter is for.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// How the letter greets them.
    pub name: &'a str,
    /// Where it goes.
    pub address: &'a str,
}

/// A letter, with what it tells. Paths begin with a slash and lead into the panel; those that carry
/// a token are secrets.
#[derive(Clone, Copy)]
pub enum Letter<'a> {
    /// Somebody was given access to a server and got an account for it.
    AccountCreated {
        /// The name that they sign in with.
        username: &'a str,
        /// The server's name.
        server: &'a str,
        /// Where they choose a password.
        path: &'a str,
    },
    /// Somebody with an account was given access to a server.
    AddedToServer {
        /// The server's name.
        server: &'a str,
        /// Where the server is.
        path: &'a str,
    },
    /// Somebody's access to a server has ended.
    RemovedFromServer {
        /// The server's name.
        server: &'a str,
    },
    /// Somebody forgot their password.
    PasswordReset {
        /// Where they choose a new one.
        path: &'a str,
        /// For how many minutes that works.
        minutes: u64,
    },
    /// The password of the account is another one now.
    PasswordChanged,
    /// Two-factor authentication is on.
    TwoFactorEnabled,
    /// Two-factor authentication is off.
    TwoFactorDisabled,
    /// The account has another e-mail address now. This goes to the old one.
    EmailChanged {
        /// The new address.
        new: &'a str,
    },
}

/// A letter in sentences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) link: Option<Link>,
    /// What to do when the letter comes as a surprise.
    pub(crate) warning: Option<&'static str>,
}

/// The one thing to click on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) label: &'static str,
    pub(crate) url: String,
}

const NOT_ASKED: &str = "If you did not ask for this, nothing needs to be done.";
const NOT_DONE: &str =
    "If this was not you, set a new password now and ask whoever runs this panel for help.";
const NOT_KNOWN: &str = "If you do not know this server or whoever shared it, ignore this mail.";

impl Letter<'_> {
    /// What kind of letter it is: all that a log may know of it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccountCreated { .. } => "account-created",
            Self::AddedToServer { .. } => "added-to-server",
            Self::RemovedFromServer { .. } => "removed-from-server",
            Self::PasswordReset { .. } => "password-reset",
            Self::PasswordChanged => "password-changed",
            Self::TwoFactorEnabled => "two-factor-enabled",
            Self::TwoFactorDisabled => "two-factor-disabled",
            Self::EmailChanged { .. } => "email-changed",
        }
    }

    /// The letter in sentences, on a panel of this name and address.
    pub(crate) fn content(&self, panel: &str, url: &str) -> Content {
        let said = |subject: String, paragraphs: Vec<String>| Content {
            subject: one_line(&subject),
            paragraphs: paragraphs.iter().map(|text| one_line(text)).collect(),
            link: None,
            warning: None,
        };
        let link = |label, path: &str| {
            Some(Link {
                label,
                url: format!("{url}{path}"),
            })
        };
        match *self {
            Self::AccountCreated {
                username,
                server,
                path,
            } => Content {
                link: link("Choose a password", path),
                warning: Some(NOT_KNOWN),
                ..said(
                    format!("You were invited to a server on {panel}"),
                    vec![
                        format!("You have been given access to the game server “{server}”."),
                        format!(
                            "An account was made for you. Its user name is {username}. Choose a password to sign in."
                        ),
                    ],
                )
            },
            Self::AddedToServer { server, path } => Content {
                link: link("Open the server", path),
                warning: Some(NOT_KNOWN),
                ..said(
                    format!("You were added to a server on {panel}"),
                    vec![format!(
                        "You have been given access to the game server “{server}”."
                    )],
                )
            },
            Self::RemovedFromServer { server } => said(
                format!("You were removed from a server on {panel}"),
                vec![format!(
                    "Your access to the game server “{server}” has ended."
                )],
            ),
            Self::PasswordReset { path, minutes } => Content {
                link: link("Choose a new password", path),
                warning: Some(NOT_ASKED),
                ..said(
                    format!("Reset your password on {panel}"),
                    vec![
                        "Somebody, hopefully you, asked for a new password for your account."
                            .to_owned(),
                        format!("The link works once, for {minutes} minutes."),
                    ],
                )
            },
            Self::PasswordChanged => Content {
                warning: Some(NOT_DONE),
                ..said(
                    format!("Your password on {panel} was changed"),
                    vec!["The password of your account was changed. Other browsers were signed out.".to_owned()],
                )
            },
            Self::TwoFactorEnabled => Content {
                warning: Some(NOT_DONE),
                ..said(
                    format!("Two-factor authentication on {panel} is on"),
                    vec!["Signing in to your account asks for a one-time code from now on. Keep the recovery codes in a safe place.".to_owned()],
                )
            },
            Self::TwoFactorDisabled => Content {
                warning: Some(NOT_DONE),
                ..said(
                    format!("Two-factor authentication on {panel} is off"),
                    vec!["Signing in to your account asks for the password alone from now on.".to_owned()],
                )
            },
            Self::EmailChanged { new } => Content {
                warning: Some(NOT_DONE),
                ..said(
                    format!("Your e-mail address on {panel} was changed"),
                    vec![format!(
                        "Your account uses the address {new} from now on. Nothing more is sent to this one."
                    )],
                )
            },
        }
    }
}

impl std::fmt::Debug for Letter<'_> {
    /// The kind alone: paths carry tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.kind())
    }
}

/// Names are chosen by strangers: without line breaks and other control characters none of them can
/// begin a header or a paragraph of its own.
pub(crate) fn one_line(text: &str) -> String {
    text.split(|char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_line() {
        let letter = Letter::RemovedFromServer {
            server: "a\r\nBcc: eve@example.com\n\nPay here\u{2028}now",
        };
        let content = letter.content("Pa\r\nnel", "https://panel.test");
        assert_eq!(content.subject, "You were removed from a server on Pa nel");
        assert_eq!(
            content.paragraphs,
            ["Your access to the game server “a Bcc: eve@example.com Pay here now” has ended."]
        );
    }

    #[test]
    fn debugging_shows_no_link() {
        let letter = Letter::PasswordReset {
            path: "/auth/password/reset/secret",
            minutes: 60,
        };
        assert_eq!(format!("{letter:?}"), "Letter(password-reset)");
    }
}
