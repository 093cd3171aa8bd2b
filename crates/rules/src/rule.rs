//! The rules as a type.

use crate::parse::Problem;
use crate::pattern::Pattern;

/// A number given to a rule, with its text as it appears in sentences.
#[derive(Clone, Debug)]
pub struct Bound {
    /// As written in the rule.
    pub text: String,
    /// Its value.
    pub value: f64,
}

/// How many decimal places `decimal` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimals {
    /// At least so many.
    pub min: usize,
    /// At most so many.
    pub max: usize,
}

/// The direction of `gt`, `gte`, `lt` and `lte`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Gte,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Lte,
}

/// One rule. Rules named `…With`, `Same` and the like hold the dotted names of other fields.
#[expect(
    missing_docs,
    reason = "a variant's name is the rule's name; client-api.md §2.2 lists them"
)]
#[derive(Clone, Debug)]
pub enum Rule {
    Accepted,
    ActiveUrl,
    After(String),
    AfterOrEqual(String),
    Alpha {
        ascii: bool,
    },
    AlphaDash {
        ascii: bool,
    },
    AlphaNum {
        ascii: bool,
    },
    Array,
    Ascii,
    /// Stop at the field's first error.
    Bail,
    Before(String),
    BeforeOrEqual(String),
    Between(Bound, Bound),
    Boolean,
    Compare(Comparison, String),
    Confirmed,
    Date,
    DateFormat(Vec<String>),
    Decimal(Decimals),
    Declined,
    Different(Vec<String>),
    Digits(usize),
    DigitsBetween(usize, usize),
    Distinct,
    DoesntEndWith(Vec<String>),
    DoesntStartWith(Vec<String>),
    Email,
    EndsWith(Vec<String>),
    Filled,
    HexColor,
    In(Vec<String>),
    InArray(String),
    Integer,
    Ip,
    Ipv4,
    Ipv6,
    Json,
    Lowercase,
    MacAddress,
    Max(Bound),
    MaxDigits(usize),
    Min(Bound),
    MinDigits(usize),
    MultipleOf(Bound),
    NotIn(Vec<String>),
    NotRegex(Pattern),
    /// Null passes every rule that does not ask for presence.
    Nullable,
    Numeric,
    Present,
    Regex(Pattern),
    Required,
    RequiredIf(String, Vec<String>),
    RequiredUnless(String, Vec<String>),
    RequiredWith(Vec<String>),
    RequiredWithAll(Vec<String>),
    RequiredWithout(Vec<String>),
    RequiredWithoutAll(Vec<String>),
    Same(String),
    Size(Bound),
    /// Skip the field when its key is absent.
    Sometimes,
    StartsWith(Vec<String>),
    String,
    Timezone,
    Ulid,
    Uppercase,
    Url,
    Uuid,
}

impl Rule {
    /// The rule's name on the wire (`meta.rule` of an error).
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::ActiveUrl => "active_url",
            Self::After(_) => "after",
            Self::AfterOrEqual(_) => "after_or_equal",
            Self::Alpha { .. } => "alpha",
            Self::AlphaDash { .. } => "alpha_dash",
            Self::AlphaNum { .. } => "alpha_num",
            Self::Array => "array",
            Self::Ascii => "ascii",
            Self::Bail => "bail",
            Self::Before(_) => "before",
            Self::BeforeOrEqual(_) => "before_or_equal",
            Self::Between(..) => "between",
            Self::Boolean => "boolean",
            Self::Compare(Comparison::Gt, _) => "gt",
            Self::Compare(Comparison::Gte, _) => "gte",
            Self::Compare(Comparison::Lt, _) => "lt",
            Self::Compare(Comparison::Lte, _) => "lte",
            Self::Confirmed => "confirmed",
            Self::Date => "date",
            Self::DateFormat(_) => "date_format",
            Self::Decimal(_) => "decimal",
            Self::Declined => "declined",
            Self::Different(_) => "different",
            Self::Digits(_) => "digits",
            Self::DigitsBetween(..) => "digits_between",
            Self::Distinct => "distinct",
            Self::DoesntEndWith(_) => "doesnt_end_with",
            Self::DoesntStartWith(_) => "doesnt_start_with",
            Self::Email => "email",
            Self::EndsWith(_) => "ends_with",
            Self::Filled => "filled",
            Self::HexColor => "hex_color",
            Self::In(_) => "in",
            Self::InArray(_) => "in_array",
            Self::Integer => "integer",
            Self::Ip => "ip",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Json => "json",
            Self::Lowercase => "lowercase",
            Self::MacAddress => "mac_address",
            Self::Max(_) => "max",
            Self::MaxDigits(_) => "max_digits",
            Self::Min(_) => "min",
            Self::MinDigits(_) => "min_digits",
            Self::MultipleOf(_) => "multiple_of",
            Self::NotIn(_) => "not_in",
            Self::NotRegex(_) => "not_regex",
            Self::Nullable => "nullable",
            Self::Numeric => "numeric",
            Self::Present => "present",
            Self::Regex(_) => "regex",
            Self::Required => "required",
            Self::RequiredIf(..) => "required_if",
            Self::RequiredUnless(..) => "required_unless",
            Self::RequiredWith(_) => "required_with",
            Self::RequiredWithAll(_) => "required_with_all",
            Self::RequiredWithout(_) => "required_without",
            Self::RequiredWithoutAll(_) => "required_without_all",
            Self::Same(_) => "same",
            Self::Size(_) => "size",
            Self::Sometimes => "sometimes",
            Self::StartsWith(_) => "starts_with",
            Self::String => "string",
            Self::Timezone => "timezone",
            Self::Ulid => "ulid",
            Self::Uppercase => "uppercase",
            Self::Url => "url",
            Self::Uuid => "uuid",
        }
    }

    /// Whether the rule is about presence: it runs on absent fields too, and when it fails, it is
    /// the field's last error.
    pub(crate) const fn is_implicit(&self) -> bool {
        matches!(
            self,
            Self::Accepted
                | Self::Declined
                | Self::Filled
                | Self::Present
                | Self::Required
                | Self::RequiredIf(..)
                | Self::RequiredUnless(..)
                | Self::RequiredWith(_)
                | Self::RequiredWithAll(_)
                | Self::RequiredWithout(_)
                | Self::RequiredWithoutAll(_)
        )
    }

    /// Whether sizes of the field are measured as numbers because of this rule.
    pub(crate) const fn is_numeric(&self) -> bool {
        matches!(self, Self::Numeric | Self::Integer | Self::Decimal(_))
    }

    /// Reads one rule, such as `max:20`. The part after the colon of `regex` and `not_regex` is
    /// taken whole; that of the others is a comma-separated list.
    ///
    /// # Errors
    /// Says why the rule cannot be used.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = |reason| Problem {
            rule: text.to_owned(),
            reason,
        };
        let (name, raw) = match text.split_once(':') {
            Some((name, raw)) => (name, Some(raw)),
            None => (text, None),
        };
        let name = name.trim().to_ascii_lowercase();
        let arguments = Arguments {
            text,
            list: raw.map(split_list).unwrap_or_default(),
        };
        let pattern = || {
            let raw = raw.ok_or_else(|| problem("needs a pattern".to_owned()))?;
            Pattern::parse(raw).map_err(|error| problem(error.to_string()))
        };
        let ascii = arguments.list.iter().any(|argument| argument == "ascii");
        Ok(match name.as_str() {
            "accepted" => Self::Accepted,
            "active_url" => Self::ActiveUrl,
            "after" => Self::After(arguments.text(0)?),
            "after_or_equal" => Self::AfterOrEqual(arguments.text(0)?),
            "alpha" => Self::Alpha { ascii },
            "alpha_dash" => Self::AlphaDash { ascii },
            "alpha_num" => Self::AlphaNum { ascii },
            "array" => Self::Array,
            "ascii" => Self::Ascii,
            "bail" => Self::Bail,
            "before" => Self::Before(arguments.text(0)?),
            "before_or_equal" => Self::BeforeOrEqual(arguments.text(0)?),
            "between" => Self::Between(arguments.bound(0)?, arguments.bound(1)?),
            "boolean" | "bool" => Self::Boolean,
            "gt" => Self::Compare(Comparison::Gt, arguments.text(0)?),
            "gte" => Self::Compare(Comparison::Gte, arguments.text(0)?),
            "lt" => Self::Compare(Comparison::Lt, arguments.text(0)?),
            "lte" => Self::Compare(Comparison::Lte, arguments.text(0)?),
            "confirmed" => Self::Confirmed,
            "date" => Self::Date,
            "date_format" => Self::DateFormat(arguments.some()?),
            "decimal" => {
                let min = arguments.count(0)?;
                let max = if arguments.list.len() > 1 {
                    arguments.count(1)?
                } else {
                    min
                };
                Self::Decimal(Decimals { min, max })
            }
            "declined" => Self::Declined,
            "different" => Self::Different(arguments.some()?),
            "digits" => Self::Digits(arguments.count(0)?),
            "digits_between" => Self::DigitsBetween(arguments.count(0)?, arguments.count(1)?),
            "distinct" => Self::Distinct,
            "doesnt_end_with" => Self::DoesntEndWith(arguments.some()?),
            "doesnt_start_with" => Self::DoesntStartWith(arguments.some()?),
            "email" => Self::Email,
            "ends_with" => Self::EndsWith(arguments.some()?),
            "filled" => Self::Filled,
            "hex_color" => Self::HexColor,
            "in" => Self::In(arguments.some()?),
            "in_array" => Self::InArray(arguments.text(0)?),
            "integer" | "int" => Self::Integer,
            "ip" => Self::Ip,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "json" => Self::Json,
            "lowercase" => Self::Lowercase,
            "mac_address" => Self::MacAddress,
            "max" => Self::Max(arguments.bound(0)?),
            "max_digits" => Self::MaxDigits(arguments.count(0)?),
            "min" => Self::Min(arguments.bound(0)?),
            "min_digits" => Self::MinDigits(arguments.count(0)?),
            "multiple_of" => Self::MultipleOf(arguments.bound(0)?),
            "not_in" => Self::NotIn(arguments.some()?),
            "not_regex" => Self::NotRegex(pattern()?),
            "nullable" => Self::Nullable,
            "numeric" => Self::Numeric,
            "present" => Self::Present,
            "regex" => Self::Regex(pattern()?),
            "required" => Self::Required,
            "required_if" => Self::RequiredIf(arguments.text(0)?, arguments.rest()?),
            "required_unless" => Self::RequiredUnless(arguments.text(0)?, arguments.rest()?),
            "required_with" => Self::RequiredWith(arguments.some()?),
            "required_with_all" => Self::RequiredWithAll(arguments.some()?),
            "required_without" => Self::RequiredWithout(arguments.some()?),
            "required_without_all" => Self::RequiredWithoutAll(arguments.some()?),
            "same" => Self::Same(arguments.text(0)?),
            "size" => Self::Size(arguments.bound(0)?),
            "sometimes" => Self::Sometimes,
            "starts_with" => Self::StartsWith(arguments.some()?),
            "string" => Self::String,
            "timezone" => Self::Timezone,
            "ulid" => Self::Ulid,
            "uppercase" => Self::Uppercase,
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            _ => return Err(problem("is not a known rule".to_owned())),
        })
    }
}

/// The arguments of a rule, read by position.
struct Arguments<'a> {
    text: &'a str,
    list: Vec<String>,
}

impl Arguments<'_> {
    fn problem(&self, reason: &str) -> Problem {
        Problem {
            rule: self.text.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn text(&self, index: usize) -> Result<String, Problem> {
        self.list
            .get(index)
            .cloned()
            .ok_or_else(|| self.problem("needs more arguments"))
    }

    fn bound(&self, index: usize) -> Result<Bound, Problem> {
        let text = self.text(index)?.trim().to_owned();
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Bound { text, value }),
            _ => Err(self.problem("needs a number")),
        }
    }

    fn count(&self, index: usize) -> Result<usize, Problem> {
        self.text(index)?
            .trim()
            .parse()
            .map_err(|_| self.problem("needs a whole number"))
    }

    fn some(&self) -> Result<Vec<String>, Problem> {
        if self.list.is_empty() {
            Err(self.problem("needs arguments"))
        } else {
            Ok(self.list.clone())
        }
    }

    fn rest(&self) -> Result<Vec<String>, Problem> {
        match self.list.get(1..) {
            Some(rest) if !rest.is_empty() => Ok(rest.to_vec()),
            _ => Err(self.problem("needs more arguments")),
        }
    }
}

/// Splits a comma-separated list in which an item may stand in double quotes, with a doubled quote
/// for a quote.
fn split_list(raw: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut quoted = false;
    let mut chars = raw.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                item.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if item.is_empty() => quoted = true,
            ',' if !quoted => items.push(std::mem::take(&mut item)),
            _ => item.push(char),
        }
    }
    items.push(item);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_quote_their_items() {
        assert_eq!(
            split_list(r#"a,"b,c","d""e",,f"g"#),
            ["a", "b,c", "d\"e", "", "f\"g"]
        );
    }

    #[test]
    fn a_rule_without_its_arguments_is_a_problem() {
        for text in [
            "max",
            "max:",
            "max:many",
            "between:1",
            "digits:1.5",
            "in",
            "required_if:a",
            "regex",
            "nonsense",
        ] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
        assert_eq!(Rule::parse(" Max : 20 ").map(|rule| rule.name()), Ok("max"));
    }
}
