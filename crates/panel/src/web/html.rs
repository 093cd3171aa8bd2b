//! Pages from templates. A value is escaped where it is put in, and never looked at again.

/// The frame of every page.
const FRAME: &str = include_str!("pages/frame.html");

/// A piece of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Any text, so that a browser shows it as it is.
    pub(super) fn text(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
        }
        Self(escaped)
    }

    /// A template of this program with its `{{names}}` filled in; a name without a value stays
    /// empty.
    pub(super) fn template(template: &'static str, values: &[(&str, Self)]) -> Self {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                filled.push_str(&value.0);
            }
            rest = after;
        }
        filled.push_str(rest);
        Self(filled)
    }

    /// One piece after the other.
    pub(super) fn all(pieces: impl IntoIterator<Item = Self>) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }

    /// The whole page around this piece.
    pub(super) fn into_page(self, title: &str) -> String {
        Self::template(FRAME, &[("title", Self::text(title)), ("content", self)]).0
    }
}

const CARD: &str =
    r#"<section class="card"><h1>{{title}}</h1><p>{{sentence}}</p>{{link}}</section>"#;
const LIST: &str = r#"<div class="complaints" role="alert"><ul>{{items}}</ul></div>"#;

/// A card with a heading, a sentence and a link.
pub(super) fn message(title: &str, sentence: &str, link: Option<(&str, &str)>) -> String {
    let link = link.map(|(address, label)| {
        const LINK: &str = r#"<p><a class="button" href="{{address}}">{{label}}</a></p>"#;
        Html::template(
            LINK,
            &[
                ("address", Html::text(address)),
                ("label", Html::text(label)),
            ],
        )
    });
    let values = [
        ("title", Html::text(title)),
        ("sentence", Html::text(sentence)),
        ("link", link.unwrap_or_default()),
    ];
    Html::template(CARD, &values).into_page(title)
}

/// What is wrong with a form, above it.
pub(super) fn complaints(sentences: &[String]) -> Html {
    if sentences.is_empty() {
        return Html::default();
    }
    let items = sentences
        .iter()
        .map(|sentence| Html::template("<li>{{text}}</li>", &[("text", Html::text(sentence))]));
    Html::template(LIST, &[("items", Html::all(items))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_markup_or_a_placeholder() {
        let page = Html::template(
            "<b title=\"{{a}}\">{{b}}</b>{{c}}",
            &[
                ("a", Html::text("\"><script>")),
                ("b", Html::text("{{a}} & '")),
            ],
        );
        assert_eq!(
            page.0,
            "<b title=\"&quot;&gt;&lt;script&gt;\">{{a}} &amp; &#39;</b>"
        );
    }

    #[test]
    fn no_page_holds_a_script_or_a_style() {
        for page in [
            message("T", "S", Some(("/x", "L"))),
            complaints(&["x".into()]).into_page("C"),
        ] {
            for banned in ["<script", "<style", "style=", "javascript:", " on"] {
                assert!(
                    !page.contains(&format!("{banned}=")) && !page.contains("<script"),
                    "{banned}: {page}"
                );
            }
        }
    }
}
