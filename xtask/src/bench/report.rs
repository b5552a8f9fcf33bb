//! The report: from the kept results alone, tests/bench/results/README.md, the plots beside it, and a part of the main README.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::results::{self, FIGURES, LANGUAGES, Results, Row};
use super::tables;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail, python};

/// Writes the report, or with `is_check` makes sure that what is committed is what would be written.
pub(super) fn run(repo: &Repo, shell: &Shell, is_check: bool) -> Result<()> {
    let kept = Kept::read(repo)?;
    let mut files = plots(repo, shell)?;
    files.push((format!("{RESULTS}/README.md"), page(&kept)?));
    files.push((MAIN.to_owned(), main_readme(&repo.read(MAIN)?, &kept)?));
    for (path, text) in files {
        if is_check && !repo.read(&path).is_ok_and(|committed| committed == text) {
            return fail(format!("{path} is not what the results say: cargo xtask bench report writes it"));
        }
        if !is_check {
            repo.write(&path, &text)?;
        }
    }
    Ok(())
}

const RESULTS: &str = "tests/bench/results";
const MAIN: &str = "README.md";

/// All that is kept, and what it is held against.
struct Kept {
    languages: Vec<(&'static str, Results)>,
    figures: Vec<(&'static str, Results)>,
    goals: Value,
}

impl Kept {
    fn read(repo: &Repo) -> Result<Self> {
        let all = |names: &[(&'static str, &str)]| -> Result<Vec<(&'static str, Results)>> {
            names.iter().map(|(name, _)| Ok((*name, results::kept(repo, name)?))).collect()
        };
        let goals = repo.read("tests/bench/goals.json")?;
        let goals = serde_json::from_str(&goals).map_err(|error| format!("tests/bench/goals.json: {error}"))?;
        Ok(Self { languages: all(LANGUAGES)?, figures: all(FIGURES)?, goals })
    }

    fn of(&self, name: &str) -> Result<&Results> {
        let all = || self.languages.iter().chain(&self.figures);
        all().find(|(known, _)| *known == name).map(|(_, results)| results).ok_or_else(|| wrong_goals(name))
    }

    /// The rows of `goals.json` about ratios.
    fn ratio_goals(&self) -> Result<Vec<RatioGoal<'_>>> {
        let read = |goal| RatioGoal::read(goal).ok_or_else(|| wrong_goals("ratios"));
        self.goals["ratios"].as_array().into_iter().flatten().map(read).collect()
    }

    fn variant(&self) -> &str {
        self.goals["variant"].as_str().unwrap_or_default()
    }
}

fn wrong_goals(what: &str) -> String {
    format!("tests/bench/goals.json: `{what}` is missing, or not what the results have")
}

/// What is wanted of one job of a language, by payload.
struct RatioGoal<'g> {
    title: &'g str,
    language: &'g str,
    /// Whom the goal is about.
    peer: &'g str,
    job: &'g str,
    at_least: &'g Map<String, Value>,
}

impl<'g> RatioGoal<'g> {
    fn read(goal: &'g Value) -> Option<Self> {
        Some(Self {
            title: goal["title"].as_str()?,
            language: goal["language"].as_str()?,
            peer: goal["peer"].as_str()?,
            job: goal["job"].as_str()?,
            at_least: goal["at_least"].as_object()?,
        })
    }

    fn held_against(&self, kept: &Kept, variant: &str) -> Result<Vec<Held>> {
        let rows = &kept.of(self.language)?.rows;
        let hold = |(payload, goal): (&String, &Value)| {
            let is_meant = |row: &&Row| row.job == self.job && row.variant == variant && row.payload() == *payload;
            let row = rows.iter().find(is_meant)?;
            let named = row.peers.iter().find(|peer| peer.name == self.peer)?;
            let nearest = row.best().filter(|best| best.name != named.name).map(|best| best.ratio);
            Some(Held { ratio: named.ratio, goal: goal.as_f64()?, nearest })
        };
        let payloads = self.at_least.iter();
        payloads.map(|(payload, goal)| hold((payload, goal)).ok_or_else(|| wrong_goals(payload))).collect()
    }
}

/// What was measured with one payload, and what is wanted.
struct Held {
    /// To the peer that the goal names.
    ratio: f64,
    goal: f64,
    /// To the peer that takes the least time, where that is another.
    nearest: Option<f64>,
}

impl Held {
    fn is_met(&self) -> bool {
        self.ratio >= self.goal
    }

    /// The ratio, and the nearest peer's in brackets.
    fn measured(&self) -> String {
        let nearest = self.nearest.map(|nearest| format!(" ({nearest:.2})")).unwrap_or_default();
        format!("{:.2}{nearest}", self.ratio)
    }
}

/// tests/bench/results/README.md.
fn page(kept: &Kept) -> Result<String> {
    let mut text = format!(
        "# Results\n\n{GENERATED}\n\n\
         How this was measured, and how to read it: [tests/bench](../README.md). Every machine is named, since the numbers mean\n\
         little without it.\n\n## Goals\n\n{}\n{}",
        ratios(kept)?,
        figure_goals(kept)?
    );
    for ((name, results), (_, title)) in kept.languages.iter().zip(LANGUAGES) {
        text += &format!(
            "## {title}\n\n![Time against size]({name}-time.svg)\n\n![Ratios to the best peer]({name}-ratio.svg)\n\n{}\n\n{}",
            "Each cell after cardseal's is a candidate's time divided by cardseal's in the same rounds: above 1 cardseal is faster.",
            tables::of(results)
        );
    }
    for ((_, results), (_, title)) in kept.figures.iter().zip(FIGURES) {
        text += &format!("## {title}\n\n{}", tables::of(results));
    }
    Ok(format!("{}\n", text.trim_end()))
}

const GENERATED: &str = "`cargo xtask bench report` writes this page, the plots, and the part of the main README about speed, from the files\n\
                         beside it and [goals.json](../goals.json) alone.";

fn ratios(kept: &Kept) -> Result<String> {
    let variant = kept.variant();
    let cell = |held: &Held| format!("{} of {}, {}", held.measured(), held.goal, verdict(held.is_met()));
    let mut text = ratio_table(kept, cell)?;
    text = format!(
        "The time of the peer that the goal names divided by cardseal's, and what it should be at least, with payloads of the variant\n\
         \"{variant}\". {NEAREST}:\n\n{text}\n"
    );
    let goals = kept.ratio_goals()?;
    let mut named: Vec<String> =
        goals.iter().map(|goal| format!("{} in {}", goal.peer, title(goal.language))).collect();
    named.dedup();
    text += &format!("The peers: {}.\n\n", named.join("; "));
    let mut met = Vec::new();
    for variant in ["ascii", "unicode", "escapes"] {
        let mut held = Vec::new();
        for goal in kept.ratio_goals()? {
            held.extend(goal.held_against(kept, variant)?);
        }
        let count = held.iter().filter(|held| held.is_met()).count();
        met.push(format!("{count} of {} with {variant}", held.len()));
    }
    Ok(format!("{text}Met: {}.\n", met.join(", ")))
}

/// How tables of ratios show it.
const NEAREST: &str = "In brackets the nearest peer's, where that is another";

fn title(language: &str) -> &str {
    LANGUAGES.iter().find(|(name, _)| *name == language).map_or(language, |(_, title)| *title)
}

/// The jobs that have goals, by payload.
fn ratio_table(kept: &Kept, cell: impl Fn(&Held) -> String) -> Result<String> {
    let goals = kept.ratio_goals()?;
    let payloads: Vec<&String> = goals.first().into_iter().flat_map(|goal| goal.at_least.keys()).collect();
    let mut text = String::from("| job |");
    payloads.iter().for_each(|payload| text += &format!(" {payload} |"));
    text += &format!("\n|---|{}\n", "--:|".repeat(payloads.len()));
    for goal in goals {
        text += &format!("| {} |", goal.title);
        for held in goal.held_against(kept, kept.variant())? {
            text += &format!(" {} |", cell(&held));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The goals that are no ratios.
fn figure_goals(kept: &Kept) -> Result<String> {
    let mut text = String::from("| what | measured | goal | |\n|---|--:|--:|---|\n");
    for (name, goals) in kept.goals["figures"].as_object().into_iter().flatten() {
        let measured = kept.of(name)?;
        for (what, goal) in goals.as_object().into_iter().flatten() {
            let figure = measured.figures.iter().find(|figure| figure.name == *what);
            let (figure, goal) = figure.zip(goal.as_f64()).ok_or_else(|| wrong_goals(what))?;
            let (value, unit, met) = (tables::short(figure.value), &figure.unit, verdict(figure.value <= goal));
            text += &format!("| {what} | {value} {unit} | at most {goal} {unit} | {met} |\n");
        }
    }
    Ok(text + &cipher_goal(kept)? + "\n")
}

/// The native engine alone, whose goal depends on the machine.
fn cipher_goal(kept: &Kept) -> Result<String> {
    let (rust, goal) = (kept.of("rust")?, &kept.goals["cipher"]);
    let is_meant = |row: &&Row| goal["job"] == row.job && goal["size"] == row.size;
    let row = rust.rows.iter().find(is_meant).ok_or_else(|| wrong_goals("cipher"))?;
    let (measured, vectors) = (row.size as f64 / row.nanos, rust.machine["vectors"].as_str().unwrap_or_default());
    let (wanted, met) = match goal["gb_per_second"][vectors].as_f64() {
        Some(wanted) => (format!("at least {wanted} GB/s"), verdict(measured >= wanted)),
        None => ("none".to_owned(), ""),
    };
    Ok(format!(
        "| {} of {} with {vectors} | {measured:.2} GB/s | {wanted} | {met} |\n",
        row.job,
        results::size_name(row.size)
    ))
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "**not met**" }
}

/// The main README with its part about speed made anew.
fn main_readme(text: &str, kept: &Kept) -> Result<String> {
    let parts = text.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return fail(format!("{MAIN} lacks the lines `{START}` and `{END}`"));
    };
    let table = ratio_table(kept, Held::measured)?;
    let mut machines: Vec<String> =
        kept.languages.iter().map(|(_, results)| tables::machine(&results.machine)).collect();
    machines.dedup();
    let machines = machines.join("; ");
    let coarse = if kept.languages.iter().any(|(_, results)| results.quick) { tables::COARSE } else { "" };
    Ok(format!(
        "{before}{START}\n{table}\n{NEAREST}. Measured on: {machines}.{coarse}\n\n![Ratios to the best peer]({RESULTS}/overview.svg)\n{END}{after}"
    ))
}

const START: &str = "<!-- cargo xtask bench report writes from here -->";
const END: &str = "<!-- to here -->";

/// Path and text of every plot.
fn plots(repo: &Repo, shell: &Shell) -> Result<Vec<(String, String)>> {
    let program = python::with_requirements(repo, shell, "tests/bench/report/requirements.txt")?;
    let folder = repo.target().join("xtask/bench-plots");
    let _ = fs::remove_dir_all(&folder); // there may be none
    let mut command = repo.command(program);
    command.env("MPLCONFIGDIR", repo.target().join("xtask/matplotlib"));
    shell.run(command.args(["-B", "tests/bench/report/plots.py", RESULTS]).arg(&folder))?;
    let entries = fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Ok((format!("{RESULTS}/{}", path.file_name().unwrap_or_default().to_string_lossy()), text))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Two peers in Go: the one that the goal names takes 1.4 times as long, another less.
    fn kept(goal: &Value) -> Kept {
        let results = json!({
            "machine": {"vectors": "AVX2"}, "quick": false, "versions": {}, "rounds": 7,
            "results": [{
                "job": "seal", "size": 256, "shape": "fields", "variant": "ascii", "cardseal_ns": 100,
                "peers": {
                    "named": {"ns": 140, "ratio": 1.4, "q1": 1.3, "q3": 1.5},
                    "other": {"ns": 120, "ratio": 1.2, "q1": 1.1, "q3": 1.3},
                },
            }],
        });
        let at_least = json!({"256 B fields": goal});
        let goal = json!({"title": "Go seal", "language": "go", "peer": "named", "job": "seal", "at_least": at_least});
        let results = results::read("go", &results.to_string()).unwrap();
        let goals = json!({"variant": "ascii", "ratios": [goal]});
        Kept { languages: vec![("go", results)], figures: Vec::new(), goals }
    }

    fn verdicts(goal: &Value) -> String {
        ratio_table(&kept(goal), |held| verdict(held.is_met()).to_owned()).unwrap()
    }

    #[test]
    fn a_goal_is_held_against_the_peer_that_it_names() {
        assert!(verdicts(&json!(1.4)).ends_with("| Go seal | met |\n"));
        assert!(verdicts(&json!(1.41)).ends_with("| Go seal | **not met** |\n"));
    }

    #[test]
    fn a_goal_that_nothing_was_measured_for_is_an_error() {
        let mut kept = kept(&json!(1));
        for (member, other) in [("job", "open"), ("language", "rust"), ("peer", "nobody"), ("title", "")] {
            let right = kept.goals["ratios"][0][member].clone();
            kept.goals["ratios"][0][member] = if other.is_empty() { Value::Null } else { other.into() };
            assert!(ratio_table(&kept, |_| String::new()).is_err(), "{member}");
            kept.goals["ratios"][0][member] = right;
        }
    }

    #[test]
    fn a_quick_run_is_said_to_be_one() {
        let mut kept = kept(&json!(1));
        let says = |kept: &Kept| main_readme(&format!("{START}\n{END}"), kept).unwrap().contains("--quick");
        assert!(!says(&kept));
        kept.languages[0].1.quick = true;
        assert!(says(&kept) && tables::of(&kept.languages[0].1).contains("--quick"));
    }

    #[test]
    fn the_main_readme_is_written_between_its_marks_alone() {
        let kept = kept(&json!(1));
        let once = main_readme(&format!("before\n{START}\nold\n{END}\nafter\n"), &kept).unwrap();
        assert!(once.starts_with("before\n") && once.ends_with("\nafter\n") && !once.contains("old"));
        assert!(once.contains("| Go seal | 1.40 (1.20) |"));
        assert_eq!(main_readme(&once, &kept), Ok(once));
        assert!(main_readme("no marks", &kept).is_err());
    }
}
