//! What the console understands.

use crate::house::House;

/// The most lines that `flood` prints.
const MAX_FLOOD: u32 = 10_000_000;
/// The most characters that `stretch` prints on one line.
const MAX_STRETCH: u32 = 1 << 30;
/// The most memory that `eat` takes, in MiB.
const MAX_MEAL: u32 = 64 * 1024;

const HELP: [&str; 12] = [
    "help             this list",
    "list             who is here",
    "say TEXT         talk to everybody",
    "status           how things are",
    "hatch [NAME]     one more hen",
    "eat MIB          feed the hens that much memory",
    "flood LINES      print many lines",
    "stretch LENGTH   print one very long line",
    "shout            print bytes that are no UTF-8",
    "deaf             from now on ignore stop and signals",
    "crash            end with an error",
    "stop             end well",
];

/// A line of the console, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Help,
    List,
    Say(&'a str),
    Status,
    Hatch(&'a str),
    Eat(u32),
    Flood(u32),
    Stretch(u32),
    Shout,
    Deaf,
    Crash,
    Stop,
}

/// What follows from a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    GoOn,
    Deaf,
    Stop,
    Crash,
}

impl<'a> Command<'a> {
    /// Reads a line: nothing when it is empty, the line itself as error when it is not understood.
    pub(crate) fn parse(line: &'a str) -> Result<Option<Self>, &'a str> {
        // Some panels and people write console commands with a slash.
        let line = line.trim().trim_start_matches('/');
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let number = |max: u32| {
            rest.parse()
                .map(|number: u32| number.min(max))
                .map_err(|_| line)
        };
        Ok(Some(match word {
            "" => return Ok(None),
            "help" => Self::Help,
            "list" => Self::List,
            "say" => Self::Say(rest),
            "status" => Self::Status,
            "hatch" => Self::Hatch(rest),
            "eat" => Self::Eat(number(MAX_MEAL)?),
            "flood" => Self::Flood(number(MAX_FLOOD)?),
            "stretch" => Self::Stretch(number(MAX_STRETCH)?),
            "shout" => Self::Shout,
            "deaf" => Self::Deaf,
            "crash" => Self::Crash,
            "stop" => Self::Stop,
            _ => return Err(line),
        }))
    }

    /// Does it, and answers on the console.
    pub(crate) fn run(self, house: &House) -> Outcome {
        match self {
            Self::Help => HELP.iter().for_each(|line| house.say(line)),
            Self::List => house.list(),
            Self::Say(text) => house.chat("Farmer", text),
            Self::Status => house.status(),
            Self::Hatch(name) => house.hatch(name),
            Self::Eat(mebibytes) => house.eat(mebibytes),
            Self::Flood(lines) => {
                (1..=lines).for_each(|line| house.say(&format!("cluck {line} of {lines}")));
            }
            Self::Stretch(length) => house.stretch(length),
            Self::Shout => house.print(b"C\xffL\xfeU\x80CK\n"),
            Self::Deaf => {
                house.say("The hens put their wings over their ears.");
                return Outcome::Deaf;
            }
            Self::Crash => {
                house.say("A fox! Everybody out!");
                return Outcome::Crash;
            }
            Self::Stop => return Outcome::Stop,
        }
        Outcome::GoOn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_they_mean() {
        for (line, expected) in [
            ("", Ok(None)),
            ("  / ", Ok(None)),
            ("help", Ok(Some(Command::Help))),
            ("/list", Ok(Some(Command::List))),
            ("say  two words ", Ok(Some(Command::Say("two words")))),
            ("say", Ok(Some(Command::Say("")))),
            ("hatch Berta", Ok(Some(Command::Hatch("Berta")))),
            ("flood 3", Ok(Some(Command::Flood(3)))),
            ("flood 4294967295", Ok(Some(Command::Flood(MAX_FLOOD)))),
            ("flood", Err("flood")),
            ("flood -1", Err("flood -1")),
            ("stop", Ok(Some(Command::Stop))),
            ("STOP", Err("STOP")),
            ("fly away", Err("fly away")),
        ] {
            assert_eq!(Command::parse(line), expected, "{line}");
        }
    }
}
