//! Reads `core/data/*.json` strictly: a missing, mistyped or unknown member is an error that names its place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::repo::Repo;
use crate::{Result, fail};

/// All tables of the protocol.
pub(crate) struct Tables {
    pub(crate) error_codes: Vec<ErrorCode>,
    pub(crate) plain_errors: Vec<PlainError>,
    pub(crate) error_slugs: Vec<ErrorSlug>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) status_models: Vec<StatusModel>,
    pub(crate) value_lists: Vec<ValueList>,
    pub(crate) constants: Vec<Constant>,
}

pub(crate) struct ErrorCode {
    pub(crate) code: String,
    pub(crate) meaning: String,
    /// How a server answers: the code of a plain error, and the HTTP status.
    pub(crate) plain_error: Option<String>,
    pub(crate) http_status: Option<u16>,
}

pub(crate) struct PlainError {
    pub(crate) text: String,
    pub(crate) status: u16,
    pub(crate) code: String,
}

pub(crate) struct ErrorSlug {
    pub(crate) slug: String,
    pub(crate) status: u16,
}

pub(crate) struct Endpoint {
    pub(crate) path: String,
    pub(crate) kind: String,
}

pub(crate) struct StatusModel {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) values: Vec<StatusValue>,
}

pub(crate) struct StatusValue {
    pub(crate) name: String,
    pub(crate) to: Vec<String>,
    pub(crate) terminal: bool,
}

pub(crate) struct ValueList {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) values: Vec<String>,
}

pub(crate) struct Constant {
    pub(crate) name: String,
    pub(crate) value: u64,
    pub(crate) meaning: String,
}

impl Tables {
    pub(crate) fn read(repo: &Repo) -> Result<Self> {
        let plain_errors = plain_errors(repo)?;
        let (status_models, value_lists) = statuses(repo)?;
        Ok(Self {
            error_codes: error_codes(repo, &plain_errors)?,
            plain_errors,
            error_slugs: error_slugs(repo)?,
            endpoints: endpoints(repo)?,
            status_models,
            value_lists,
            constants: constants(repo)?,
        })
    }
}

fn plain_errors(repo: &Repo) -> Result<Vec<PlainError>> {
    let mut file = open(repo, "plain_errors")?;
    let mut errors = Vec::new();
    for mut row in file.rows("plain_errors")? {
        errors.push(PlainError { text: row.text("text")?, status: row.status("status")?, code: row.name("code")? });
        row.finish()?;
    }
    file.finish()?;
    unique("plain_errors.json", errors.iter().map(|error| &error.text))?;
    unique("plain_errors.json", errors.iter().map(|error| &error.code))?;
    Ok(errors)
}

fn error_codes(repo: &Repo, plain_errors: &[PlainError]) -> Result<Vec<ErrorCode>> {
    let mut file = open(repo, "error_codes")?;
    let mut codes = Vec::new();
    for mut row in file.rows("error_codes")? {
        let (code, meaning) = (row.name("code")?, row.text("meaning")?);
        let plain_error = row.optional("plain_error", Row::name)?;
        let http_status = row.optional("http_status", Row::status)?;
        let error = ErrorCode { code, meaning, plain_error, http_status };
        if error.meaning.split_whitespace().count() > MEANING_WORDS {
            return row.wrong("meaning", "has more than 15 words");
        }
        if let Some(answer) = &error.plain_error
            && !plain_errors.iter().any(|plain| plain.code == *answer && Some(plain.status) == error.http_status)
        {
            return row.wrong("plain_error", "and `http_status` match no row of plain_errors.json");
        }
        row.finish()?;
        codes.push(error);
    }
    file.finish()?;
    unique("error_codes.json", codes.iter().map(|error| &error.code))?;
    Ok(codes)
}

fn error_slugs(repo: &Repo) -> Result<Vec<ErrorSlug>> {
    let mut file = open(repo, "error_slugs")?;
    let mut slugs = Vec::new();
    for mut row in file.rows("error_slugs")? {
        slugs.push(ErrorSlug { slug: row.name("slug")?, status: row.status("status")? });
        row.one_of("origin", &["common", "sub_page", "sister_deployment"])?;
        row.finish()?;
    }
    file.finish()?;
    unique("error_slugs.json", slugs.iter().map(|error| &error.slug))?;
    Ok(slugs)
}

fn endpoints(repo: &Repo) -> Result<Vec<Endpoint>> {
    let mut file = open(repo, "endpoints")?;
    let mut endpoints = Vec::new();
    for mut row in file.rows("endpoints")? {
        let endpoint = Endpoint { path: row.text("path")?, kind: row.one_of("kind", &["read", "keyed", "unsafe"])? };
        if !endpoint.path.starts_with("/api/v1/") {
            return row.wrong("path", "does not begin with /api/v1/");
        }
        row.finish()?;
        endpoints.push(endpoint);
    }
    file.finish()?;
    unique("endpoints.json", endpoints.iter().map(|endpoint| &endpoint.path))?;
    Ok(endpoints)
}

fn statuses(repo: &Repo) -> Result<(Vec<StatusModel>, Vec<ValueList>)> {
    let mut file = open(repo, "status_models")?;
    let mut models = Vec::new();
    for mut row in file.rows("status_models")? {
        let mut values = Vec::new();
        for mut value in row.rows("values")? {
            let terminal = value.optional("terminal", Row::flag)?.unwrap_or(false);
            let status = StatusValue { name: value.name("name")?, to: value.names("to")?, terminal };
            value.optional("origin", |row, member| row.one_of(member, &["sister_deployment"]))?;
            if terminal && !status.to.is_empty() {
                return value.wrong("to", "lists moves out of a terminal value");
            }
            value.finish()?;
            values.push(status);
        }
        let model = StatusModel { name: row.text("name")?, about: row.text("about")?, values };
        unique(&model.name, model.values.iter().map(|value| &value.name))?;
        for value in &model.values {
            unique(&value.name, value.to.iter())?;
            if let Some(to) = value.to.iter().find(|to| !model.values.iter().any(|known| known.name == **to)) {
                return row.wrong("values", &format!("move from `{}` to the unknown `{to}`", value.name));
            }
        }
        row.finish()?;
        models.push(model);
    }
    let mut lists = Vec::new();
    for mut row in file.rows("value_lists")? {
        let list = ValueList { name: row.text("name")?, about: row.text("about")?, values: row.names("values")? };
        unique(&list.name, list.values.iter())?;
        row.finish()?;
        lists.push(list);
    }
    file.finish()?;
    unique("status_models.json", models.iter().map(|model| &model.name).chain(lists.iter().map(|list| &list.name)))?;
    Ok((models, lists))
}

fn constants(repo: &Repo) -> Result<Vec<Constant>> {
    let mut file = open(repo, "constants")?;
    let mut constants = Vec::new();
    for mut row in file.rows("constants")? {
        let constant = Constant { name: row.name("name")?, value: row.number("value")?, meaning: row.text("meaning")? };
        row.finish()?;
        constants.push(constant);
    }
    file.finish()?;
    unique("constants.json", constants.iter().map(|constant| &constant.name))?;
    Ok(constants)
}

/// One JSON object whose members are taken out one by one; what is left at the end is unknown.
struct Row {
    place: String,
    members: Map<String, Value>,
}

impl Row {
    fn text(&mut self, member: &str) -> Result<String> {
        match self.members.remove(member) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            _ => self.wrong(member, "is not a text"),
        }
    }

    /// A `snake_case` name: it becomes a Rust identifier.
    fn name(&mut self, member: &str) -> Result<String> {
        let name = self.text(member)?;
        if is_snake_case(&name) { Ok(name) } else { self.wrong(member, "is not snake_case") }
    }

    fn names(&mut self, member: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for value in self.list(member)? {
            match value {
                Value::String(name) if is_snake_case(&name) => names.push(name),
                _ => return self.wrong(member, "holds something that is not a snake_case name"),
            }
        }
        Ok(names)
    }

    fn one_of(&mut self, member: &str, choices: &[&str]) -> Result<String> {
        let text = self.text(member)?;
        if choices.contains(&text.as_str()) {
            Ok(text)
        } else {
            self.wrong(member, &format!("is not one of {}", choices.join(", ")))
        }
    }

    fn status(&mut self, member: &str) -> Result<u16> {
        match self.members.remove(member).as_ref().and_then(Value::as_u64).map(u16::try_from) {
            Some(Ok(status @ 400..=599)) => Ok(status),
            _ => self.wrong(member, "is not an HTTP status from 400 to 599"),
        }
    }

    fn number(&mut self, member: &str) -> Result<u64> {
        match self.members.remove(member).as_ref().and_then(Value::as_u64) {
            Some(number) => Ok(number),
            None => self.wrong(member, "is not a whole number from 0 up"),
        }
    }

    fn flag(&mut self, member: &str) -> Result<bool> {
        match self.members.remove(member) {
            Some(Value::Bool(flag)) => Ok(flag),
            _ => self.wrong(member, "is neither true nor false"),
        }
    }

    /// None for null and for an absent member.
    fn optional<T>(&mut self, member: &str, read: impl FnOnce(&mut Self, &str) -> Result<T>) -> Result<Option<T>> {
        match self.members.get(member) {
            None => Ok(None),
            Some(Value::Null) => {
                self.members.remove(member);
                Ok(None)
            }
            Some(_) => read(self, member).map(Some),
        }
    }

    fn rows(&mut self, member: &str) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (index, value) in self.list(member)?.into_iter().enumerate() {
            match value {
                Value::Object(members) => {
                    rows.push(Row { place: format!("{}: {member}[{index}]", self.place), members })
                }
                _ => return self.wrong(member, "holds something that is not an object"),
            }
        }
        Ok(rows)
    }

    fn list(&mut self, member: &str) -> Result<Vec<Value>> {
        match self.members.remove(member) {
            Some(Value::Array(values)) => Ok(values),
            _ => self.wrong(member, "is not a list"),
        }
    }

    fn finish(self) -> Result<()> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(member) => self.wrong(member, "is unknown"),
        }
    }

    fn wrong<T>(&self, member: &str, why: &str) -> Result<T> {
        fail(format!("{}: `{member}` {why}", self.place))
    }
}

/// The object at the root of a data file, its prose already checked and taken out.
fn open(repo: &Repo, stem: &str) -> Result<Row> {
    let name = format!("core/data/{stem}.json");
    let text = repo.read(&name)?;
    let mut file = match serde_json::from_str(&text) {
        Ok(Value::Object(members)) => Row { place: name, members },
        Ok(_) => return fail(format!("{name}: no object at the root")),
        Err(error) => return fail(format!("{name}: {error}")),
    };
    file.text("about")?;
    file.text("source")?;
    Ok(file)
}

fn unique<'a>(place: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return fail(format!("{place}: `{name}` stands there twice"));
        }
    }
    Ok(())
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

const MEANING_WORDS: usize = 15;
