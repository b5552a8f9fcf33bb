//! The npm package: packed, installed as a user installs it, and tested from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::counts::Counts;
use crate::npm::{self, Npm, PACKAGE, Tarballs, files};
use crate::screen::{bad, say};
use crate::shell::pipe;
use crate::test::Context;
use crate::{Result, fail, python, system, vectors};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    if let Err(missing) = npm::node_version(context.repo) {
        say!("   {} {missing}", bad("SKIPPED:"));
        return Ok(Counts::SKIPPED);
    }
    system::ensure("redis-server", "redis-server", context.repo, &context.shell);
    let npm = Npm::with_tools(context.repo, &context.shell)?;
    let mut counts = checks_of_sources(&npm);
    let tarballs = npm.pack()?;
    counts += checks_of_package(&npm, &tarballs);
    counts += suites(&npm, &project(&npm, &tarballs)?)?;
    let bench = npm::bench_project(&npm, &tarballs)?;
    for engine in ["node", "wasm"] {
        let title = format!("the benchmark {engine}: its candidates agree");
        let script = format!("{engine}/bench.mjs");
        counts += check(&title, || npm.shell.run(npm.command("node").current_dir(&bench).args([&script, "--check"])));
    }
    counts += Runtimes::new(&npm, &tarballs)?.run();
    Ok(counts)
}

fn checks_of_sources(npm: &Npm<'_>) -> Counts {
    let mut counts = Counts::default();
    let folder = npm.repo.path(PACKAGE);
    counts +=
        check("biome", || npm.shell.run(npm.tool("biome").args(["ci", "--error-on-warnings"]).current_dir(&folder)));
    counts += check("tsc: the module of the example page", || {
        npm.shell.run(npm.tool("tsc").args(["-p", "playground"]).current_dir(&folder))
    });
    counts += check("one version", || {
        let (version, of_crates) = (npm.manifest()?["version"].clone(), env!("CARGO_PKG_VERSION"));
        if version == of_crates {
            Ok(())
        } else {
            fail(format!("{PACKAGE}/package.json has {version}, not {of_crates}"))
        }
    });
    counts
}

fn checks_of_package(npm: &Npm<'_>, tarballs: &Tarballs) -> Counts {
    let mut counts = Counts::default();
    counts += check("publint", || npm.shell.run(npm.tool("publint").arg("--strict").arg(&tarballs.package)));
    counts += check("attw", || {
        npm.shell.run(npm.tool("attw").args(["--no-emoji", "--profile", "node16"]).arg(&tarballs.package))
    });
    counts += check("what is packed", || npm.check_contents(&tarballs.package));
    counts += check("no place on this machine in what was built", || {
        npm.check_paths(&npm.folder("package/dist/esm/cardseal.wasm"))?;
        tarballs.binary.as_deref().map_or(Ok(()), |binary| npm.check_paths(binary))
    });
    counts += check("size", || {
        let bytes = npm.gzipped_bytes("dist/esm/wasm.js")?;
        say!("   the browser's entry: {bytes} bytes by gzip -9");
        if bytes <= MOST_BYTES { Ok(()) } else { fail(format!("that is more than {MOST_BYTES}")) }
    });
    counts
}

/// How large the browser's entry may be, its WebAssembly included, by gzip -9: no goal (tests/bench/goals.json has that), but a
/// guard against growing unnoticed.
const MOST_BYTES: usize = 60 * 1_024;

/// A project with the tarballs installed. What the tests themselves use is linked beside them.
fn project(npm: &Npm<'_>, tarballs: &Tarballs) -> Result<PathBuf> {
    let folder = npm.project("project", tarballs)?;
    npm.link_tools(&folder, PACKAGE)?;
    npm.copy_tree(&format!("{PACKAGE}/tests"), &folder.join("tests"))?;
    npm.copy_tree(&format!("{PACKAGE}/tsconfig.json"), &folder.join("tsconfig.json"))?;
    Ok(folder)
}

/// Writes the code of the README and of the doc comments into files of their own, and says how many.
fn extract_examples(npm: &Npm<'_>, folder: &Path) -> Result<usize> {
    let mut sources = vec![npm.repo.path(PACKAGE).join("README.md")];
    sources.extend(files(&npm.repo.path(PACKAGE).join("src"), ".ts")?);
    let mut count = 0;
    for source in sources {
        let text = fs::read_to_string(&source).map_err(|error| format!("cannot read {}: {error}", source.display()))?;
        let name = source.strip_prefix(npm.repo.path(PACKAGE)).unwrap_or(&source).with_extension("");
        let stem = name.to_string_lossy().replace(['/', '\\'], "-"); // two folders have an `errors.ts`
        for (index, code) in examples(&text).iter().enumerate() {
            npm::write(&folder.join(format!("{stem}-{index}.ts")), code)?;
            count += 1;
        }
    }
    Ok(count)
}

/// What stands between "```ts" and "```", in a page or in a comment.
fn examples(text: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let inside = line.trim_start().strip_prefix('*').map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest));
        match (&mut open, inside.trim()) {
            (None, "```ts") => open = Some(String::new()),
            (Some(code), "```") => {
                examples.push(std::mem::take(code));
                open = None;
            }
            (Some(code), _) => *code += &format!("{inside}\n"),
            _ => {}
        }
    }
    examples
}

/// The tests in TypeScript: checked, then run by Node's own runner.
fn suites(npm: &Npm<'_>, project: &Path) -> Result<Counts> {
    extract_examples(npm, &project.join("tests/examples"))?;
    let mut counts = check("tsc --strict, and what the types refuse", || {
        npm.shell.run(npm.tool("tsc").args(["-p", "tests"]).current_dir(project))
    });
    let sources = files(&project.join("tests"), ".ts")?;
    npm.shell.run(
        npm.tool("esbuild")
            .args(sources)
            .args(["--format=esm", "--outdir=out", "--log-level=warning"])
            .current_dir(project),
    )?;
    let examples = files(&project.join("tests/examples"), ".ts")?;
    npm.shell.run(
        npm.tool("esbuild")
            .args(examples)
            .args(["--format=esm", "--outdir=tests/examples-out", "--log-level=warning"])
            .current_dir(project),
    )?;
    counts += npm.node_test(project, &files(&project.join("out"), ".test.js")?)?;
    Ok(counts)
}

/// Throw-away projects, one a runtime, with nothing installed but the tarballs.
struct Runtimes<'a> {
    npm: &'a Npm<'a>,
    tarballs: &'a Tarballs,
    pynacl: PathBuf,
    /// The example's payload, sealed by PyNaCl.
    by_pynacl: String,
}

impl<'a> Runtimes<'a> {
    fn new(npm: &'a Npm<'a>, tarballs: &'a Tarballs) -> Result<Self> {
        let pynacl = python::with_requirements(npm.repo, npm.shell, vectors::REQUIREMENTS)?;
        let mut runtimes = Self { npm, tarballs, pynacl, by_pynacl: String::new() };
        runtimes.by_pynacl = runtimes.pynacl("seal", PAYLOAD)?.trim().to_owned();
        Ok(runtimes)
    }

    fn run(&self) -> Counts {
        let mut counts = Counts::default();
        let native = if self.tarballs.native.is_some() { "napi" } else { "wasm" };
        counts += self.runtime("Node, as a module", "node", native, |_| Ok(self.node("module.mjs")));
        counts += self.runtime("Node, as CommonJS", "node-cjs", native, |_| Ok(self.node("common.cjs")));
        counts += self.runtime("Node, cardseal/wasm", "node-wasm", "wasm", |_| Ok(self.node("wasm.cjs")));
        for format in ["cjs", "iife"] {
            let title = format!("Node, bundled by esbuild as {format}");
            counts += self.runtime(&title, &format!("node-bundle-{format}"), native, |folder| {
                let mut esbuild = self.npm.tool("esbuild");
                esbuild.args([
                    "module.mjs",
                    "--bundle",
                    "--platform=node",
                    "--outfile=bundle.cjs",
                    "--log-level=error",
                ]);
                self.npm.shell.run(esbuild.arg(format!("--format={format}")).current_dir(folder))?;
                Ok(self.node("bundle.cjs"))
            });
        }
        counts += self.without_native();
        if self.tarballs.native.is_some() {
            counts += self.with_broken_native();
        }
        counts += self.runtime("the entry for Next's edge runtime, in Node", "edge-light", "wasm", |_| {
            let mut command = self.npm.command("node");
            command.args(["--conditions=edge-light", "edge-light.mjs"]);
            Ok(command)
        });
        counts += self.runtime("Deno", "deno", "wasm", |_| {
            let mut command = self.npm.tool("deno");
            command.args(["run", "--no-lock", "--cached-only", "module.mjs"]);
            Ok(command)
        });
        counts += self.runtime("Bun", "bun", "wasm", |_| {
            let mut command = self.npm.tool("bun");
            command.args(["run", "--no-install", "module.mjs"]);
            Ok(command)
        });
        for (title, name, worker) in
            [("workerd", "workerd", "worker.js"), ("workerd, cardseal/wasm", "workerd-wasm", "worker-wasm.js")]
        {
            counts += self.runtime(title, name, "wasm", |folder| {
                self.npm.shell.run(
                    self.npm
                        .tool("esbuild")
                        .args([worker, "--bundle", "--format=esm", "--conditions=workerd"])
                        .args(["--external:./cardseal.wasm", "--outfile=worker.bundle.js", "--log-level=warning"])
                        .current_dir(folder),
                )?;
                let mut command = self.npm.tool("workerd");
                command.args(["test", "worker.capnp", "--verbose"]);
                Ok(command)
            });
        }
        counts += self.pages();
        counts
    }

    fn node(&self, program: &str) -> Command {
        let mut command = self.npm.command("node");
        command.arg(program);
        command
    }

    /// Runs the common check, and lets PyNaCl open what was sealed.
    fn runtime(&self, title: &str, name: &str, engine: &str, command: impl FnOnce(&Path) -> Result<Command>) -> Counts {
        check(title, || {
            let folder = self.project(name, self.tarballs)?;
            self.check_answer(command(&folder)?.current_dir(&folder), engine)
        })
    }

    fn check_answer(&self, command: &mut Command, engine: &str) -> Result<()> {
        let finished = self.npm.shell.finish(command)?;
        let answer = finished
            .text
            .lines()
            .find_map(|line| line.find('{').and_then(|at| serde_json::from_str(line.get(at..)?).ok()));
        let Some(answer) = answer.filter(|_: &Value| finished.success) else { return fail("the check failed") };
        if answer["engine"] != engine {
            return fail(format!("the engine is {}, not {engine}", answer["engine"]));
        }
        self.check_sealed(answer["body"].as_str().unwrap_or_default())
    }

    /// Without the package of native code, Node takes WebAssembly: from a file of its own, or out of the bundle.
    fn without_native(&self) -> Counts {
        let tarballs = Tarballs { package: self.tarballs.package.clone(), native: None, binary: None };
        let run = |title: &str, name: &str, command: &dyn Fn(&Path) -> Result<Command>| {
            check(&format!("{title}, without native code"), || {
                let folder = self.project(&format!("{name}-without-native"), &tarballs)?;
                self.check_answer(command(&folder)?.current_dir(&folder), "wasm")
            })
        };
        let mut counts = run("Node, as a module", "node", &|_| Ok(self.node("module.mjs")));
        counts += run("Node, as CommonJS", "node-cjs", &|_| Ok(self.node("common.cjs")));
        for (source, format) in [("module.mjs", "esm"), ("module.mjs", "cjs"), ("common.cjs", "cjs")] {
            let title = format!("Node, {source} bundled by esbuild as {format}");
            counts += run(&title, &format!("node-{source}-{format}"), &|folder| {
                let mut esbuild = self.npm.tool("esbuild");
                esbuild.args([source, "--bundle", "--platform=node", "--log-level=error"]);
                esbuild.args([format!("--format={format}"), format!("--outfile=bundle.{}", extension(format))]);
                self.npm.shell.run(esbuild.current_dir(folder))?;
                let modules = folder.join("node_modules");
                fs::remove_dir_all(&modules)
                    .map_err(|error| format!("cannot remove {}: {error}", modules.display()))?;
                Ok(self.node(&format!("bundle.{}", extension(format))))
            });
        }
        counts
    }

    /// Nor is a binary that does not load the end.
    fn with_broken_native(&self) -> Counts {
        check("Node, with a binary that does not load", || {
            let folder = self.project("node-with-broken-native", self.tarballs)?;
            for binary in files(&folder.join("node_modules/@cardseal"), ".node")? {
                npm::write(&binary, "this is no library")?;
            }
            self.check_answer(self.node("module.mjs").current_dir(&folder), "wasm")
        })
    }

    /// What bundlers make, and the example page, in Chromium.
    fn pages(&self) -> Counts {
        let Some(chromium) = chromium(self.npm) else {
            let advice = "install Chromium (Debian: apt-get install chromium), or name it in CHROMIUM";
            say!("   {} bundles and the example page in a browser: {advice}", bad("SKIPPED:"));
            return Counts { skipped: 4, ..Counts::default() };
        };
        let driven = |folder: &Path, driver: &str, page: &Path| {
            self.npm.link_tools(folder, PACKAGE)?;
            let mut command = self.node(driver);
            command.env("CHROMIUM", &chromium).arg(page);
            Ok(command)
        };
        let mut counts = Counts::default();
        counts += self.runtime("Vite's bundle in Chromium", "vite", "wasm", |folder| {
            let command = driven(folder, "bundle.mjs", "site".as_ref())?;
            let mut vite = self.npm.tool("vite");
            vite.args(["build", "--outDir", "site", "--logLevel", "warn"]);
            self.npm.shell.run(vite.current_dir(folder))?;
            Ok(command)
        });
        counts += self.runtime("esbuild's bundle in Chromium", "esbuild", "wasm", |folder| {
            let command = driven(folder, "bundle.mjs", "site".as_ref())?;
            let mut esbuild = self.npm.tool("esbuild");
            esbuild.args(["module.mjs", "--bundle", "--format=esm", "--minify", "--outfile=site/module.mjs"]);
            self.npm.shell.run(esbuild.arg("--log-level=warning").current_dir(folder))?;
            npm::copy(&folder.join("index.html"), &folder.join("site/index.html"))?;
            Ok(command)
        });
        counts += self.runtime("the example page in Chromium", "page", "wasm", |folder| {
            let screenshots = self.npm.fresh_folder("screenshots")?;
            say!("   screenshots: {}", screenshots.display());
            let mut command = driven(folder, "playground.mjs", &self.npm.page()?)?;
            command.arg(screenshots).arg(self.tweetnacl(folder, "seal", PAYLOAD)?);
            Ok(command)
        });
        counts += self.runtime("the example page with the published module", "page-published", "wasm", |folder| {
            let page = folder.join("page");
            self.npm.copy_tree("examples/browser", &page)?;
            npm::copy(&folder.join("node_modules/cardseal/dist/esm/wasm.js"), &page.join("cardseal.js"))?;
            driven(folder, "playground-published.mjs", &page)
        });
        counts
    }

    fn project(&self, name: &str, tarballs: &Tarballs) -> Result<PathBuf> {
        let folder = self.npm.project(&format!("runtimes/{name}"), tarballs)?;
        self.npm.copy_tree(&format!("{PACKAGE}/tests/runtimes"), &folder)?;
        let check = fs::read_to_string(folder.join("check.js")).map_err(|error| error.to_string())?;
        npm::write(&folder.join("check.js"), &check.replace("@BY_PYNACL@", &self.by_pynacl.replace('"', "\\\"")))?;
        Ok(folder)
    }

    fn check_sealed(&self, body: &str) -> Result<()> {
        let payload = self.pynacl("open", body)?;
        let (payload, expected): (Value, Value) = match (serde_json::from_str(&payload), serde_json::from_str(PAYLOAD))
        {
            (Ok(payload), Ok(expected)) => (payload, expected),
            _ => return fail("PyNaCl found no JSON in it"),
        };
        if payload == expected { Ok(()) } else { fail(format!("PyNaCl opens it to {payload}")) }
    }

    fn tweetnacl(&self, folder: &Path, verb: &str, input: &str) -> Result<String> {
        self.npm.copy_tree("tests/interop/drivers/tweetnacl.mjs", &folder.join("tweetnacl.mjs"))?;
        ask(self.node("tweetnacl.mjs").current_dir(folder), verb, input)
    }

    fn pynacl(&self, verb: &str, input: &str) -> Result<String> {
        ask(self.npm.repo.command(&self.pynacl).args(["-B", "tests/interop/drivers/pynacl.py"]), verb, input)
    }
}

/// How the name of a bundle ends.
fn extension(format: &str) -> &'static str {
    if format == "esm" { "mjs" } else { "cjs" }
}

/// Has a driver of tests/interop seal a payload or open a body.
fn ask(driver: &mut Command, verb: &str, input: &str) -> Result<String> {
    let (given, wanted) = if verb == "seal" { ("payload", "body") } else { ("body", "payload") };
    let question = json!({"id": 0, "operation": verb, "secret": SECRET, "layout": "versioned", given: input});
    let answer = pipe(driver, &format!("{question}\n"))?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| format!("{answer} is no answer: {error}"))?;
    match answer["ok"][wanted].as_str() {
        Some(text) => Ok(text.to_owned()),
        None => fail(format!("it does not {verb}: {answer}")),
    }
}

const SECRET: &str = "your_api_secret_key_here";
const PAYLOAD: &str = r#"{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}"#;

/// Chromium, which is installed here if that is possible without asking.
fn chromium(npm: &Npm<'_>) -> Option<PathBuf> {
    let find = || {
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        named.into_iter().chain(CHROMIUMS.iter().map(PathBuf::from)).find(|path| path.exists())
    };
    find().or_else(|| {
        let is_root = pipe(npm.command("id").arg("-u"), "").is_ok_and(|id| id.trim() == "0");
        if !is_root {
            return None;
        }
        say!("   Chromium is missing: installing it with apt-get, as root");
        for words in ["update", "install -y --no-install-recommends chromium"] {
            let mut command = npm.command("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive").args(words.split(' '));
            npm.shell.run(&mut command).ok()?;
        }
        find()
    })
}

const CHROMIUMS: &[&str] = &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// One check that passes or fails, said so.
fn check(title: &str, act: impl FnOnce() -> Result<()>) -> Counts {
    match act() {
        Ok(()) => {
            say!("   {title}: ok");
            Counts::PASSED
        }
        Err(error) => {
            say!("   {} {title}: {error}", bad("FAILED"));
            Counts::FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::examples;

    #[test]
    fn examples_are_found_in_pages_and_in_comments() {
        let page = "# title\n```ts\na();\n```\n```sh\nb\n```\n";
        let comment = "/**\n * @example\n * ```ts\n * if (a) {\n *   b();\n * }\n * ```\n */\n";
        assert_eq!(examples(page), ["a();\n"]);
        assert_eq!(examples(comment), ["if (a) {\n  b();\n}\n"]);
    }
}
