//! The npm package: its two engines, its JavaScript, the tarballs that are published. All of it below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::counts::Counts;
use crate::demo;
use crate::repo::Repo;
use crate::shell::{self, Shell};
use crate::{Result, fail, fresh, targets};

/// The package's sources.
pub(crate) const PACKAGE: &str = "packages/npm";

/// Where everything is built, and how programs are run there.
pub(crate) struct Npm<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) shell: &'a Shell,
}

/// What is published.
pub(crate) struct Tarballs {
    /// The package `cardseal`.
    pub(crate) package: PathBuf,
    /// The native code for this machine; nothing where the list of platforms has no package for it.
    pub(crate) native: Option<PathBuf>,
    /// The binary in that.
    pub(crate) binary: Option<PathBuf>,
}

impl<'a> Npm<'a> {
    /// Checks that Node and npm are there, and installs the tools that the package's lock file pins.
    pub(crate) fn with_tools(repo: &'a Repo, shell: &'a Shell) -> Result<Self> {
        let npm = Self { repo, shell };
        npm.install(PACKAGE)?;
        Ok(npm)
    }

    /// Installs what a folder's lock file pins, unless that is there already.
    pub(crate) fn install(&self, folder: &str) -> Result<()> {
        let version = node_version(self.repo)?;
        let wanted = format!("{version}\n{}", self.repo.read(&format!("{folder}/package-lock.json"))?);
        let marker = self.repo.path(folder).join("node_modules/.installed");
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        self.shell.run(self.command("npm").current_dir(self.repo.path(folder)).args([
            "ci",
            "--no-audit",
            "--no-fund",
        ]))?;
        fs::write(&marker, wanted).map_err(|error| format!("cannot write {}: {error}", marker.display()))
    }

    /// A folder below the target directory.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.repo.target().join("npm").join(name)
    }

    /// An empty folder below the target directory.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder(name);
        let removed = if folder.exists() { fs::remove_dir_all(&folder) } else { Ok(()) };
        removed
            .and_then(|()| fs::create_dir_all(&folder))
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(folder)
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        self.repo.command(if cfg!(windows) && program == "npm" { "npm.cmd" } else { program })
    }

    /// One of the installed tools.
    pub(crate) fn tool(&self, name: &str) -> Command {
        self.repo.command(self.repo.path(PACKAGE).join("node_modules/.bin").join(name))
    }

    /// Builds everything and packs it; what was packed of the same the last time is kept.
    pub(crate) fn pack(&self) -> Result<Tarballs> {
        let (wasm, native) = (self.build_wasm("")?, self.build_native()?); // cargo knows itself what is fresh
        let mut sources: Vec<PathBuf> = SOURCES.iter().map(|source| self.repo.path(source)).collect();
        sources.push(wasm.clone());
        sources.extend(native.iter().map(|(_, built)| built.clone()));
        let files = fresh::made(&self.folder("packed.txt"), &sources, || {
            let package = self.package(&self.optimize(&wasm, "wasm")?)?;
            let tarballs = self.fresh_folder("tarballs")?;
            let mut files = vec![self.pack_folder(&package, &tarballs)?];
            if let Some((platform, built)) = &native {
                let (folder, binary) = self.native_package(platform, built)?;
                files.extend([self.pack_folder(&folder, &tarballs)?, binary]);
            }
            Ok(files)
        })?;
        let mut files = files.into_iter();
        let package = files.next().ok_or("nothing is packed")?;
        Ok(Tarballs { package, native: files.next(), binary: files.next() })
    }

    fn pack_folder(&self, folder: &Path, into: &Path) -> Result<PathBuf> {
        let mut command = self.command("npm");
        command.current_dir(folder).args(["pack", "--json", "--ignore-scripts", "--pack-destination"]).arg(into);
        let packed: Value =
            serde_json::from_str(&shell::pipe(&mut command, "")?).map_err(|error| format!("npm pack: {error}"))?;
        // A list in some releases of npm, an object by name in others.
        let first = packed.get(0).or_else(|| packed.as_object().and_then(|packages| packages.values().next()));
        match first.and_then(|packed| packed["filename"].as_str()) {
            Some(name) => Ok(into.join(name)),
            None => fail("npm pack does not say what it wrote"),
        }
    }

    /// The page of `examples/browser`, ready for any file server: with a module that says why a body does not open.
    pub(crate) fn page(&self) -> Result<PathBuf> {
        let wasm = self.optimize(&self.build_wasm("--features inspect")?, "wasm-inspect")?;
        let folder = self.fresh_folder("page")?;
        self.copy_tree("examples/browser", &folder)?;
        self.bundle("playground/cardseal.ts", "esm", &wasm, &folder.join("cardseal.js"))?;
        Ok(folder)
    }

    /// The WebAssembly module, as cargo builds it.
    fn build_wasm(&self, features: &str) -> Result<PathBuf> {
        targets::ensure(targets::WASM, self.repo, self.shell)?;
        let words = format!("build --locked --profile wasm -p cardseal-wasm --target {} {features}", targets::WASM);
        self.shell.run(self.repo.cargo(&words).args(self.without_paths(targets::WASM)?))?;
        Ok(self.repo.target().join(targets::WASM).join("wasm/cardseal_wasm.wasm"))
    }

    /// The same, made small, in a folder of that name.
    fn optimize(&self, built: &Path, name: &str) -> Result<PathBuf> {
        let folder = self.fresh_folder(name)?;
        let [graph, reached, small] = ["exports.json", "reached.wasm", "cardseal.wasm"].map(|file| folder.join(file));
        write(&graph, &exports_graph().to_string())?;
        self.shell.run(
            self.tool("wasm-metadce")
                .args(WASM_FEATURES)
                .arg("--graph-file")
                .arg(&graph)
                .arg(built)
                .arg("-o")
                .arg(&reached),
        )?;
        self.shell.run(self.tool("wasm-opt").args(WASM_FEATURES).args(WASM_OPT).arg(&reached).arg("-o").arg(&small))?;
        let module = fs::read(&small).map_err(|error| format!("cannot read {}: {error}", small.display()))?;
        let module = without_custom_sections(&module).ok_or_else(|| format!("{} is cut", small.display()))?;
        fs::write(&small, module).map_err(|error| format!("cannot write {}: {error}", small.display()))?;
        Ok(small)
    }

    /// What makes cargo leave this machine's paths out of a binary: panics name the files that they stand in.
    fn without_paths(&self, target: &str) -> Result<[String; 2]> {
        let home =
            std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        let mut folders = vec![self.repo.path("")];
        if let Some(sources) = home.map(|home| home.join("registry/src")) {
            let registries = fs::read_dir(sources).into_iter().flatten();
            folders.extend(registries.filter_map(|entry| Some(entry.ok()?.path().join(""))));
        }
        let flags: Vec<String> =
            folders.iter().map(|path| format!("--remap-path-prefix={}=", path.display())).collect();
        let list = serde_json::to_string(&flags).map_err(|error| error.to_string())?;
        Ok(["--config".to_owned(), format!("target.{target}.rustflags={list}")])
    }

    /// This machine's native code, as cargo builds it; nothing where the list of platforms does not have the machine.
    fn build_native(&self) -> Result<Option<(Platform, PathBuf)>> {
        let Some(platform) = self.host_platform()? else { return Ok(None) };
        let words = format!("build --locked --release -p cardseal-node --target {}", platform.target);
        self.shell.run(self.repo.cargo(&words).args(self.without_paths(&platform.target)?))?;
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        let built = self.repo.target().join(&platform.target).join(format!("release/{prefix}cardseal_node{suffix}"));
        Ok(Some((platform, built)))
    }

    /// The folder of the native code's package, and the binary in it.
    fn native_package(&self, platform: &Platform, built: &Path) -> Result<(PathBuf, PathBuf)> {
        let folder = self.fresh_folder(&format!("platforms/{}", platform.name))?;
        let binary = folder.join(platform.binary());
        copy(built, &binary)?;
        self.copy_licenses(&folder)?;
        write(&folder.join("README.md"), &platform.readme())?;
        write_json(&folder.join("package.json"), &platform.manifest(&self.manifest()?))?;
        Ok((folder, binary))
    }

    /// The folder of the package itself.
    fn package(&self, wasm: &Path) -> Result<PathBuf> {
        let folder = self.fresh_folder("package")?;
        for Entry { source, formats } in ENTRIES {
            for format in *formats {
                let name = source.strip_suffix("-cjs").unwrap_or(source);
                let out = folder.join("dist").join(format).join(format!("{name}.js"));
                self.bundle(&format!("src/entries/{source}.ts"), format, wasm, &out)?;
            }
        }
        for part in ["http", "server"] {
            self.translate(part, &folder)?;
        }
        copy(wasm, &folder.join("dist/esm/cardseal.wasm"))?;
        write_json(&folder.join("dist/cjs/package.json"), &json!({"type": "commonjs"}))?;
        for format in ["esm", "cjs"] {
            let out = folder.join("dist").join(format);
            self.shell.run(self.tool("tsc").args(["-p", PACKAGE, "--outDir"]).arg(out))?;
        }
        copy(&self.repo.path(PACKAGE).join("README.md"), &folder.join("README.md"))?;
        self.copy_licenses(&folder)?;
        write_json(&folder.join("package.json"), &Value::Object(self.published_manifest()?))?;
        Ok(folder)
    }

    /// One file an entry: an entry that only re-exported would be skipped by bundlers, and its engine with it.
    fn bundle(&self, entry: &str, format: &str, wasm: &Path, out: &Path) -> Result<()> {
        let version = self.manifest()?["version"].clone();
        self.shell.run(
            self.tool("esbuild")
                .arg(format!("{PACKAGE}/{entry}"))
                .args(["--bundle", "--minify", LINES, "--charset=utf8", "--log-level=warning", "--target=es2022"])
                .args(["--platform=neutral", "--external:node:module", "--external:../cjs/wasm.js"])
                .args(["--external:./cardseal.wasm", "--external:./cardseal.wasm?module"])
                .arg(format!("--format={format}"))
                .arg(format!("--define:VERSION={version}"))
                .arg(format!("--define:BINARY={BINARY}"))
                .arg(format!("--outfile={}", out.display())),
        )?;
        // Put in afterwards: esbuild would write escapes for many bytes that need none.
        let code = fs::read_to_string(out).map_err(|error| format!("cannot read {}: {error}", out.display()))?;
        let module = fs::read(wasm).map_err(|error| format!("cannot read {}: {error}", wasm.display()))?;
        write(out, &code.replace(BINARY, &binary_literal(&module)))
    }

    /// The entries for clients and servers: each file as it is, since they share what they are made of, and import `cardseal` by
    /// its name, so that the runtime chooses the engine as ever.
    fn translate(&self, part: &str, folder: &Path) -> Result<()> {
        let sources = files(&self.repo.path(PACKAGE).join("src").join(part), ".ts")?;
        for format in ["esm", "cjs"] {
            let out = folder.join("dist").join(format).join(part);
            self.shell.run(
                self.tool("esbuild")
                    .args(&sources)
                    .args(["--minify", LINES, "--charset=utf8", "--log-level=warning", "--target=es2022"])
                    .arg(format!("--format={format}"))
                    .arg(format!("--outdir={}", out.display())),
            )?;
        }
        Ok(())
    }

    /// A project with the tarballs installed and nothing else: offline, since the package depends on nothing.
    pub(crate) fn project(&self, name: &str, tarballs: &Tarballs) -> Result<PathBuf> {
        let folder = self.fresh_folder(name)?;
        write(&folder.join("package.json"), "{\"private\": true, \"type\": \"module\"}\n")?;
        let mut command = self.command("npm");
        command.current_dir(&folder).args(["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts"]);
        self.shell.run(command.arg(&tarballs.package).args(&tarballs.native))?;
        Ok(folder)
    }

    /// How large a built file is by gzip -9.
    pub(crate) fn gzipped_bytes(&self, file: &str) -> Result<usize> {
        let script = "process.stdout.write(String(zlib.gzipSync(fs.readFileSync(process.argv[1]), {level: 9}).length))";
        let size = shell::pipe(self.command("node").args(["-e", script]).arg(self.folder("package").join(file)), "")?;
        size.parse().map_err(|_| format!("{size} is no size"))
    }

    /// Fails if a built file names a place on this machine.
    pub(crate) fn check_paths(&self, file: &Path) -> Result<()> {
        let bytes = fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        for place in [self.repo.path("").display().to_string(), "/registry/src/".to_owned()] {
            if bytes.windows(place.len()).any(|window| window == place.as_bytes()) {
                return fail(format!("`{place}` stands in {}", file.display()));
            }
        }
        Ok(())
    }

    /// Fails if a tarball holds anything but what is meant to be published.
    pub(crate) fn check_contents(&self, tarball: &Path) -> Result<()> {
        let listed = shell::pipe(self.command("tar").arg("-tzf").arg(tarball), "")?;
        let is_meant = |file: &&str| {
            let file = file.strip_prefix("package/").unwrap_or(file);
            let is_code =
                file.starts_with("dist/") && [".js", ".d.ts", ".wasm", ".json"].iter().any(|end| file.ends_with(end));
            is_code || ["package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE"].contains(&file)
        };
        match listed.lines().find(|file| !is_meant(file)) {
            None if listed.lines().count() > 10 => Ok(()),
            None => fail("there is hardly anything in it"),
            Some(file) => fail(format!("{file} is in it")),
        }
    }

    /// Lets a project use what is installed beside some sources.
    pub(crate) fn link_tools(&self, project: &Path, of: &str) -> Result<()> {
        let tools = self.repo.path(of).join("node_modules");
        let entries = fs::read_dir(&tools).map_err(|error| format!("cannot read {}: {error}", tools.display()))?;
        for entry in entries.filter_map(std::result::Result::ok) {
            let link = project.join("node_modules").join(entry.file_name());
            if !link.exists() && entry.file_name() != ".installed" {
                symlink(&entry.path(), &link)?;
            }
        }
        Ok(())
    }

    /// Copies a file or a folder of the repository.
    pub(crate) fn copy_tree(&self, from: &str, to: &Path) -> Result<()> {
        copy_tree(&self.repo.path(from), to)
    }

    /// Runs suites by Node's own runner, counted test by test.
    pub(crate) fn node_test(&self, project: &Path, suites: &[PathBuf]) -> Result<Counts> {
        let mut command = self.command("node");
        command.current_dir(project).args(["--test", "--test-reporter=tap", "--expose-gc"]).args(suites);
        let host = self.host_platform()?.map(|platform| platform.name).unwrap_or_default();
        command.env("CARDSEAL_PLATFORM", host);
        command.env("CARDSEAL_EXAMPLES", project.join("tests/examples"));
        command.env("CARDSEAL_VECTORS", self.repo.path("tests/vectors"));
        command.env("CARDSEAL_CLI", demo::build_tool(self.repo)?);
        command.env("CARDSEAL_DRIVERS", self.repo.path("tests/adapters/drivers"));
        let finished = self.shell.finish(&mut command)?;
        let mut counts = Counts::of_node_test(&finished.text);
        if (!finished.success && counts.failed == 0) || counts.ran() == 0 {
            counts += Counts::FAILED; // it did not start, or found nothing
        }
        Ok(counts)
    }

    fn copy_licenses(&self, folder: &Path) -> Result<()> {
        ["LICENSE-APACHE", "LICENSE-MIT"].iter().try_for_each(|name| copy(&self.repo.path(name), &folder.join(name)))
    }

    pub(crate) fn manifest(&self) -> Result<Map<String, Value>> {
        read_object(&self.repo.read(&format!("{PACKAGE}/package.json"))?, "package.json")
    }

    /// Without the tools; with the packages of native code, which are published together with this one.
    fn published_manifest(&self) -> Result<Map<String, Value>> {
        let mut manifest = self.manifest()?;
        manifest.remove("devDependencies");
        let version = manifest["version"].clone();
        let packages = self.platforms()?.into_iter().map(|platform| (platform.package(), version.clone()));
        manifest.insert("optionalDependencies".into(), Value::Object(packages.collect()));
        Ok(manifest)
    }

    /// This machine, if it is on the list.
    fn host_platform(&self) -> Result<Option<Platform>> {
        let host = shell::pipe(self.repo.command("rustc").args(["--print", "host-tuple"]), "")?;
        Ok(self.platforms()?.into_iter().find(|platform| platform.target == host.trim()))
    }

    fn platforms(&self) -> Result<Vec<Platform>> {
        let rows: Vec<Map<String, Value>> =
            serde_json::from_str(&self.repo.read(PLATFORMS)?).map_err(|error| format!("{PLATFORMS}: {error}"))?;
        rows.into_iter().map(Platform::read).collect()
    }
}

/// What the tarballs are made of, beside what cargo builds: this file says how.
const SOURCES: &[&str] = &[
    "packages/npm/src",
    "packages/npm/README.md",
    "packages/npm/package.json",
    "packages/npm/package-lock.json",
    "packages/npm/tsconfig.json",
    PLATFORMS,
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "xtask/src/npm.rs",
];

/// Node shows the line of an error that nobody catches: it must not be the whole package.
const LINES: &str = "--line-limit=160";

/// What stands in the code for the module until it is put there.
const BINARY: &str = "\"@BINARY@\"";

/// Bytes as a JavaScript literal, one character from U+0000 to U+00FF each.
///
/// Not base64: gzip finds what repeats in bytes, but not in groups of six bits, so that the module would travel a quarter
/// larger. What is escaped is what a template literal or a script inside a page would not keep as it is.
fn binary_literal(bytes: &[u8]) -> String {
    let mut literal = String::from("`");
    for (index, &byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(index + 1)) {
            (0, Some(b'0'..=b'9')) => literal += "\\x00",
            (0, _) => literal += "\\0",
            (b'\r', _) => literal += "\\r",
            (b'`' | b'\\', _) | (b'$', Some(b'{')) => literal.extend(['\\', char::from(byte)]),
            _ => literal.push(char::from(byte)),
        }
    }
    literal + "`"
}

/// A project with the package, its peers, and the benchmarks of both engines.
pub(crate) fn bench_project(npm: &Npm<'_>, tarballs: &Tarballs) -> Result<PathBuf> {
    npm.install(BENCH)?;
    let folder = npm.project("bench", tarballs)?;
    npm.link_tools(&folder, BENCH)?;
    for name in ["node", "wasm"] {
        copy_sources(&npm.repo.path("tests/bench").join(name), &folder.join(name))?;
    }
    npm.copy_tree("tests/bench/payloads.json", &folder.join("payloads.json"))?;
    Ok(folder)
}

/// The peers of both engines.
const BENCH: &str = "tests/bench/node";

/// What Node says of its version; an error that names what to install where there is none, or one that is too old.
pub(crate) fn node_version(repo: &Repo) -> Result<String> {
    let advice = "install Node.js 20 or newer, with npm";
    let version =
        shell::pipe(repo.command("node").arg("--version"), "").map_err(|error| format!("{error}; {advice}"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(20..) => Ok(version.trim().to_owned()),
        _ => fail(format!("this is Node {}; {advice}", version.trim())),
    }
}

/// The files below a folder whose names end so, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    Ok(found)
}

/// A platform that gets native code.
struct Platform {
    name: String,
    target: String,
    os: String,
    cpu: String,
    libc: Option<String>,
}

impl Platform {
    fn read(mut row: Map<String, Value>) -> Result<Self> {
        let mut text = |member: &str| match row.remove(member) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => fail(format!("{PLATFORMS}: `{member}` is missing or no text")),
        };
        let needed = |text: Option<String>| text.ok_or_else(|| format!("{PLATFORMS}: a text is null"));
        let platform = Self {
            name: needed(text("name")?)?,
            target: needed(text("target")?)?,
            os: needed(text("os")?)?,
            cpu: needed(text("cpu")?)?,
            libc: text("libc")?,
        };
        match row.keys().next() {
            None => Ok(platform),
            Some(member) => fail(format!("{PLATFORMS}: `{member}` is unknown")),
        }
    }

    fn package(&self) -> String {
        format!("@cardseal/{}", self.name)
    }

    fn binary(&self) -> String {
        format!("cardseal.{}.node", self.name)
    }

    fn readme(&self) -> String {
        format!(
            "# {}\n\nThe native code of [cardseal](https://github.com/cardseal/cardseal) for `{}`.\n",
            self.package(),
            self.target
        )
    }

    fn manifest(&self, of_package: &Map<String, Value>) -> Value {
        let mut manifest = json!({
            "name": self.package(),
            "version": of_package["version"],
            "description": format!("The native code of cardseal for {}.", self.target),
            "license": of_package["license"],
            "repository": of_package["repository"],
            "engines": of_package["engines"],
            "main": self.binary(),
            "files": [self.binary()],
            "os": [self.os],
            "cpu": [self.cpu],
        });
        if let Some(libc) = &self.libc {
            manifest["libc"] = json!([libc]);
        }
        manifest
    }
}

const PLATFORMS: &str = "packages/npm/platforms.json";

struct Entry {
    source: &'static str,
    formats: &'static [&'static str],
}

const ENTRIES: &[Entry] = &[
    Entry { source: "node", formats: &["esm"] },
    Entry { source: "node-bundled", formats: &["esm"] },
    Entry { source: "node-cjs", formats: &["cjs"] },
    Entry { source: "wasm", formats: &["esm", "cjs"] },
    Entry { source: "workerd", formats: &["esm"] },
    Entry { source: "edge-light", formats: &["esm"] },
];

/// Smaller first: the cipher was optimised for speed before.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--converge",
    "--reorder-functions",
    // Functions that have one caller stay functions: runtimes compile each when it is first called.
    "--one-caller-inline-max-function-size=8",
    "--strip-debug",
];

/// Those that rustc uses on its own or was told to.
const WASM_FEATURES: &[&str] = &[
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// What the engine calls, as `wasm-metadce` reads it. `dryoc` needs `getrandom`, which in a browser is wasm-bindgen's: linked and
/// exported, but called by nothing here. What these do not reach goes.
fn exports_graph() -> Value {
    let exports = ["memory", "reserve", "call"];
    let nodes = exports.map(|export| json!({"name": export, "export": export}));
    let root = json!({"name": "engine", "root": true, "reaches": exports});
    nodes.into_iter().chain([root]).collect()
}

/// A module without its custom sections: nothing that runs, and wasm-bindgen leaves a large one for a tool of its own.
fn without_custom_sections(module: &[u8]) -> Option<Vec<u8>> {
    let (preamble, mut rest) = module.split_at_checked(8)?;
    let mut kept = preamble.to_vec();
    while let [id, after @ ..] = rest {
        // Seven bits a byte, the lowest first; the last one is below 0x80.
        let digits = 1 + after.iter().take(5).position(|&digit| digit < 0x80)?;
        let size = after.iter().take(digits).rev().fold(0, |size, &digit| size << 7 | usize::from(digit & 0x7f));
        let (section, next) = rest.split_at_checked(1 + digits + size)?;
        if *id != 0 {
            kept.extend(section);
        }
        rest = next;
    }
    Some(kept)
}

fn read_object(text: &str, what: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| format!("{what}: {error}"))
}

/// Copies a file, or a folder with all that is in it.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return copy(from, to);
    }
    let entries = fs::read_dir(from).map_err(|error| format!("cannot read {}: {error}", from.display()))?;
    entries
        .filter_map(std::result::Result::ok)
        .try_for_each(|entry| copy_tree(&entry.path(), &to.join(entry.file_name())))
}

/// Copies the modules of a folder.
pub(crate) fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).map_err(|error| format!("cannot read {}: {error}", from.display()))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension() == Some("mjs".as_ref()) {
            copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(to: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, link).map_err(|error| format!("cannot link {}: {error}", link.display()))
}

#[cfg(windows)]
fn symlink(to: &Path, link: &Path) -> Result<()> {
    std::os::windows::fs::symlink_dir(to, link).map_err(|error| format!("cannot link {}: {error}", link.display()))
}

pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    fs::copy(from, to).map(|_| ()).map_err(|error| format!("cannot copy {}: {error}", from.display()))
}

pub(crate) fn write(to: &Path, text: &str) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    fs::write(to, text).map_err(|error| format!("cannot write {}: {error}", to.display()))
}

fn write_json(to: &Path, value: &Value) -> Result<()> {
    write(to, &format!("{value:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::{binary_literal, without_custom_sections};

    #[test]
    fn custom_sections_go_and_the_others_stay() {
        let preamble = b"\0asm\x01\0\0\0";
        let long = [&[10, 0x80, 0x02][..], &[7; 256]].concat();
        let module = [&preamble[..], &[0, 2, 1, b'a'], &[1, 1, 0], &long, &[0, 1, 0]].concat();
        let kept = [&preamble[..], &[1, 1, 0], &long].concat();
        assert_eq!(without_custom_sections(&module), Some(kept.clone()));
        assert_eq!(without_custom_sections(&kept), Some(kept.clone()));
        assert_eq!(without_custom_sections(&kept[..kept.len() - 1]), None);
        assert_eq!(without_custom_sections(&module[..module.len() - 2]), None);
    }

    #[test]
    fn a_literal_holds_each_byte_as_one_character() {
        let pairs: Vec<u8> = (0..=255).flat_map(|first| (0..=255).flat_map(move |second| [first, second])).collect();
        let literal = binary_literal(&pairs);
        let inside = literal.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap();
        assert!(!inside.contains(['\0', '\r']) && !inside.replace("\\$", "").contains("${"));
        let mut bytes = Vec::new();
        let mut characters = inside.chars();
        while let Some(character) = characters.next() {
            let escaped = if character == '\\' { characters.next() } else { None };
            let meant = match escaped {
                None => character,
                Some('0') => '\0',
                Some('x') => characters.nth(1).map_or('?', |_| '\0'),
                Some('r') => '\r',
                Some(itself) => itself,
            };
            bytes.push(u8::try_from(u32::from(meant)).unwrap());
        }
        assert_eq!(bytes, pairs);
    }
}
