//! Letters as text and as HTML, made by the same two templates for all of them.

use minijinja::value::Value;
use minijinja::{Environment, context};

use crate::letter::{Content, one_line};

const TEXT: &str = include_str!("templates/letter.txt");
const HTML: &str = include_str!("templates/letter.html");

/// The panel that writes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) name: String,
    /// Its address, without a slash at the end.
    pub(crate) url: String,
}

/// Both forms of a letter: text, then HTML.
pub(crate) fn render(
    panel: &Panel,
    name: &str,
    content: &Content,
) -> Result<(String, String), minijinja::Error> {
    let link = content.link.as_ref();
    let values = context! {
        subject => content.subject.as_str(),
        name => one_line(name),
        paragraphs => content.paragraphs.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>(),
        label => link.map(|link| link.label),
        link => link.map(|link| link.url.as_str()),
        warning => content.warning,
        panel => panel.name.as_str(),
        url => panel.url.as_str(),
    };
    let templates = Environment::new();
    // The name decides about escaping: everything in the page is escaped.
    let text = templates.render_named_str("letter.txt", TEXT, values.clone())?;
    let html = templates.render_named_str("letter.html", HTML, values)?;
    Ok((text, html))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Letter;

    fn rendered(letter: Letter<'_>) -> (String, String) {
        let panel = Panel {
            name: "Anna's panel".to_owned(),
            url: "https://panel.test".to_owned(),
        };
        let content = letter.content(&panel.name, &panel.url);
        render(&panel, "<b>ben</b>", &content).unwrap()
    }

    #[test]
    fn a_text_reads_like_a_letter() {
        let (text, _) = rendered(Letter::PasswordReset {
            path: "/auth/password/reset/t?email=a%40b",
            minutes: 60,
        });
        assert_eq!(
            text,
            "Hello <b>ben</b>,\n\n\
             Somebody, hopefully you, asked for a new password for your account.\n\n\
             The link works once, for 60 minutes.\n\n\
             Choose a new password:\nhttps://panel.test/auth/password/reset/t?email=a%40b\n\n\
             If you did not ask for this, nothing needs to be done.\n\n\
             -- \nAnna's panel, https://panel.test"
        );
    }

    #[test]
    fn nothing_that_a_stranger_chose_becomes_markup() {
        let (_, html) = rendered(Letter::AccountCreated {
            username: "\"><img src=x>",
            server: "<script>alert(1)</script>",
            path: "/x\" onclick=\"y",
        });
        for forbidden in ["<script", "<img", "<b>", "x\" onclick"] {
            assert!(!html.contains(forbidden), "{forbidden}: {html}");
        }
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn every_letter_can_be_rendered() {
        let (server, path, username) = ("Survival", "/server/1a7ce997", "ben");
        for letter in [
            Letter::AccountCreated {
                username,
                server,
                path,
            },
            Letter::AddedToServer { server, path },
            Letter::RemovedFromServer { server },
            Letter::PasswordReset { path, minutes: 60 },
            Letter::PasswordChanged,
            Letter::TwoFactorEnabled,
            Letter::TwoFactorDisabled,
            Letter::EmailChanged {
                new: "new@example.com",
            },
        ] {
            let (text, html) = rendered(letter);
            assert!(text.starts_with("Hello "), "{text}");
            assert!(html.contains("<p>Hello "), "{html}");
            assert!(!text.contains("none") && !html.contains("none<"), "{text}");
        }
    }
}
