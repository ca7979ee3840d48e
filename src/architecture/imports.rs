//! What each file names of the others, read from its tokens: `use` declarations and paths in the text, macros included.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path by its segments. One of ours begins with `crate`; any other is left as it is written.
pub(super) type Path = Vec<String>;

/// What of a file counts when the arrows are drawn; what only tests compile is left out.
#[derive(Debug, Default)]
pub(super) struct Product {
    /// Every path that the file names.
    pub named: BTreeSet<Path>,
    /// The public types that it declares.
    pub types: Vec<String>,
}

/// Where a module's code stands.
#[derive(Debug)]
struct Place {
    file: String,
    is_test: bool,
}

/// The modules of a crate, found from its root by their declarations.
#[derive(Debug, Default)]
pub(super) struct Modules {
    places: BTreeMap<Path, Place>,
    /// `#[macro_export]` puts a macro at the crate's root, whatever file it is in.
    macros: BTreeMap<String, String>,
}

impl Modules {
    /// `files` maps a path below `src/` to its text.
    pub(super) fn of(files: &BTreeMap<String, String>) -> Self {
        let mut modules = Self::default();
        modules.file(vec!["crate".to_owned()], "lib.rs", false, files);
        modules
    }

    fn file(&mut self, path: Path, file: &str, is_test: bool, files: &BTreeMap<String, String>) {
        let Some(text) = files.get(file) else { return };
        let tokens = tokens(file, text);
        let is_test = is_test || list(tokens.clone()).windows(3).any(is_all_of_tests);
        self.macros.extend(exported_macros(&tokens).map(|name| (name, file.to_owned())));
        let folder = match file.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            None if file == "lib.rs" => String::new(),
            _ => format!("{}/", file.trim_end_matches(".rs")),
        };
        self.module(path, file, &folder, is_test, tokens, files);
    }

    fn module(
        &mut self,
        path: Path,
        file: &str,
        folder: &str,
        is_test: bool,
        tokens: TokenStream,
        files: &BTreeMap<String, String>,
    ) {
        let of_the_product: BTreeSet<String> =
            declared(&list(product(tokens.clone()))).into_iter().map(|(name, _)| name).collect();
        for (name, body) in declared(&list(tokens)) {
            let below = joined(&path, std::slice::from_ref(&name));
            let is_test = is_test || !of_the_product.contains(&name);
            match body {
                Some(body) => self.module(below, file, &format!("{folder}{name}/"), is_test, body, files),
                None => {
                    let both = [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")];
                    for its_file in both.iter().filter(|it| files.contains_key(*it)) {
                        self.file(below.clone(), its_file, is_test, files);
                    }
                }
            }
        }
        self.places.insert(path, Place { file: file.to_owned(), is_test });
    }

    /// The files that some declaration reaches.
    pub(super) fn files(&self) -> BTreeSet<&str> {
        self.places.values().map(|place| place.file.as_str()).collect()
    }

    /// The file in which a path of ours ends: the deepest module that its beginning names. None is one that only tests
    /// compile, or that is not ours.
    pub(super) fn file_of(&self, path: &[String]) -> Option<&str> {
        if let [root, name, ..] = path
            && root == "crate"
            && let Some(file) = self.macros.get(name)
            && !self.places.contains_key(path.get(..2).unwrap_or_default())
        {
            return Some(file);
        }
        let prefixes = (1..=path.len()).rev().filter_map(|length| path.get(..length));
        let place = prefixes.filter_map(|prefix| self.places.get(prefix)).next()?;
        (!place.is_test).then_some(place.file.as_str())
    }

    /// What every file of the product names and declares.
    pub(super) fn products(&self, files: &BTreeMap<String, String>) -> BTreeMap<String, Product> {
        let mut products = BTreeMap::new();
        for (path, place) in self.places.iter().filter(|(_, place)| !place.is_test) {
            // An inline module is read with its file.
            let is_inline = path.split_last().and_then(|(_, above)| self.places.get(above));
            if is_inline.is_some_and(|above| above.file == place.file) {
                continue;
            }
            let Some(text) = files.get(&place.file) else { continue };
            let tokens = list(product(tokens(&place.file, text)));
            let mut reader = Reader { modules: self, found: Product::default() };
            reader.block(&tokens, path, &Scope::default());
            products.insert(place.file.clone(), reader.found);
        }
        products
    }
}

/// The names that a block has by `use`, its own and those of the blocks around it.
#[derive(Clone, Default)]
struct Scope {
    names: BTreeMap<String, Path>,
    globs: Vec<Path>,
}

struct Reader<'a> {
    modules: &'a Modules,
    found: Product,
}

impl Reader<'_> {
    fn block(&mut self, tokens: &[TokenTree], module: &[String], around: &Scope) {
        let uses = uses(tokens);
        let mut scope = around.clone();
        // Twice, for a `use` may begin with a name that another one brings, in any order.
        for _ in 0..2 {
            let before = scope.clone();
            for it in &uses {
                let begins_with_itself = it.path.first() == it.name.as_ref();
                let names = if begins_with_itself { around } else { &before };
                let path = self.absolute(&it.path, module, names);
                match &it.name {
                    Some(name) => drop(scope.names.insert(name.clone(), path)),
                    None => scope.globs.push(path),
                }
            }
        }
        for it in &uses {
            let begins_with_itself = it.path.first() == it.name.as_ref();
            let names = if begins_with_itself { around } else { &scope };
            let path = self.absolute(&it.path, module, names);
            self.found.named.insert(path);
        }
        self.text(tokens, module, &scope);
    }

    /// The paths and types of a block, and the blocks inside it.
    fn text(&mut self, tokens: &[TokenTree], module: &[String], scope: &Scope) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let rest = tokens.get(at..).unwrap_or_default();
            let before = at.checked_sub(1).and_then(|it| tokens.get(it));
            at += match token {
                TokenTree::Group(group) => {
                    // `pub(in crate::x)` says who may look, and looks at nothing itself.
                    if !(group.delimiter() == Delimiter::Parenthesis && is_word(before, "pub")) {
                        self.block(&list(group.stream()), module, scope);
                    }
                    1
                }
                TokenTree::Ident(_) if is_word(Some(token), "mod") => match rest {
                    [_, TokenTree::Ident(name), TokenTree::Group(body), ..] => {
                        let below = joined(module, &[plain(name)]);
                        self.block(&list(body.stream()), &below, &Scope::default());
                        3
                    }
                    _ => 1,
                },
                TokenTree::Ident(_) if is_use(rest) => {
                    rest.iter().position(|it| is_mark(Some(it), ';')).unwrap_or(rest.len())
                }
                TokenTree::Ident(_) if is_word(Some(token), "pub") => {
                    self.found.types.extend(public_type(rest));
                    1
                }
                // After `$` only `crate` is a path's beginning; after `::` or `.` nothing is.
                TokenTree::Ident(_)
                    if is_mark(before, ':')
                        && is_mark(at.checked_sub(2).and_then(|it| tokens.get(it)), ':') =>
                {
                    1
                }
                TokenTree::Ident(_)
                    if is_mark(before, '.') || (is_mark(before, '$') && !is_word(Some(token), "crate")) =>
                {
                    1
                }
                TokenTree::Ident(_) => {
                    let (path, length) = path(rest);
                    if path.len() > 1 {
                        let path = self.absolute(&path, module, scope);
                        self.found.named.insert(path);
                    }
                    length
                }
                _ => 1,
            };
        }
    }

    fn absolute(&self, path: &[String], module: &[String], scope: &Scope) -> Path {
        let Some((first, rest)) = path.split_first() else { return Path::new() };
        match first.as_str() {
            "crate" => return path.to_vec(),
            "self" => return joined(module, rest),
            "super" => {
                let ups = path.iter().take_while(|it| *it == "super").count();
                let above = module.get(..module.len().saturating_sub(ups)).unwrap_or_default();
                return joined(above, path.get(ups..).unwrap_or_default());
            }
            _ => {}
        }
        if let Some(named) = scope.names.get(first) {
            return joined(named, rest);
        }
        let has = |above: &[String]| {
            self.modules.places.contains_key(joined(above, std::slice::from_ref(first)).as_slice())
        };
        if has(module) {
            return joined(module, path);
        }
        match scope.globs.iter().find(|glob| has(glob)) {
            Some(glob) => joined(glob, path),
            None => path.to_vec(),
        }
    }
}

/// One leaf of a `use` tree; a glob has no name.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    path: Path,
    name: Option<String>,
}

/// The `use` declarations that stand directly in a block.
fn uses(tokens: &[TokenTree]) -> Vec<Use> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        if is_use(rest) {
            let end = rest.iter().position(|it| is_mark(Some(it), ';')).unwrap_or(rest.len());
            use_tree(rest.get(1..end).unwrap_or_default(), &[], &mut found);
        }
    }
    found
}

/// `use` also stands in types, `impl Trait + use<'a>`, and there nothing is imported.
fn is_use(tokens: &[TokenTree]) -> bool {
    is_word(tokens.first(), "use") && !is_mark(tokens.get(1), '<')
}

fn use_tree(tokens: &[TokenTree], above: &[String], found: &mut Vec<Use>) {
    let mut path = above.to_vec();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Group(group) => {
                for branch in list(group.stream()).split(|it| is_mark(Some(it), ',')) {
                    use_tree(branch, &path, found);
                }
                return;
            }
            TokenTree::Punct(mark) if mark.as_char() == '*' => {
                found.push(Use { path, name: None });
                return;
            }
            TokenTree::Ident(word) if word == "as" => break,
            // `a::{self}` is `a`.
            TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
            TokenTree::Ident(word) => path.push(plain(word)),
            _ => {}
        }
        at += 1;
    }
    let alias = match tokens.get(at..) {
        Some([_, TokenTree::Ident(alias), ..]) => Some(plain(alias)),
        _ => path.last().cloned(),
    };
    if path.len() > above.len() || (!path.is_empty() && !tokens.is_empty()) {
        found.push(Use { path, name: alias });
    }
}

/// The path at the beginning of the tokens, and how many of them it takes.
fn path(tokens: &[TokenTree]) -> (Path, usize) {
    let mut path = Path::new();
    let mut at = 0;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        path.push(plain(word));
        at += 1;
        let goes_on = is_mark(tokens.get(at), ':')
            && is_mark(tokens.get(at + 1), ':')
            && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_)));
        if !goes_on {
            break;
        }
        at += 2;
    }
    (path, at)
}

/// The modules that are declared directly in the tokens, with the body of those that have one here.
fn declared(tokens: &[TokenTree]) -> Vec<(String, Option<TokenStream>)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        match tokens.get(at..).unwrap_or_default() {
            [TokenTree::Ident(word), TokenTree::Ident(name), then, ..] if word == "mod" => match then {
                TokenTree::Group(body) => found.push((plain(name), Some(body.stream()))),
                then if is_mark(Some(then), ';') => found.push((plain(name), None)),
                _ => {}
            },
            _ => {}
        }
    }
    found
}

fn exported_macros(tokens: &TokenStream) -> impl Iterator<Item = String> {
    let tokens = list(tokens.clone());
    let mut found = Vec::new();
    let mut is_exported = false;
    for at in 0..tokens.len() {
        match tokens.get(at..).unwrap_or_default() {
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Bracket => {
                is_exported |= is_word(list(group.stream()).first(), "macro_export");
            }
            [TokenTree::Ident(word), _, TokenTree::Ident(name), ..] if word == "macro_rules" => {
                found.extend(is_exported.then(|| plain(name)));
                is_exported = false;
            }
            _ => {}
        }
    }
    found.into_iter()
}

/// `pub struct Name`, with the tokens beginning at `pub`. A type for the parent module alone is not public.
fn public_type(tokens: &[TokenTree]) -> Option<String> {
    let rest = match tokens.get(1..)? {
        [TokenTree::Group(reach), rest @ ..] if reach.delimiter() == Delimiter::Parenthesis => {
            is_word(list(reach.stream()).first(), "crate").then_some(rest)?
        }
        rest => rest,
    };
    match rest {
        [TokenTree::Ident(kind), TokenTree::Ident(name), ..]
            if ["struct", "enum", "trait", "type", "union"].iter().any(|it| kind == it) =>
        {
            Some(plain(name))
        }
        _ => None,
    }
}

/// The tokens without what only tests compile.
fn product(tokens: TokenStream) -> TokenStream {
    let tokens = list(tokens);
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = tokens.get(at..).unwrap_or_default();
        match rest {
            rest if is_all_of_tests(rest) => return TokenStream::new(),
            [mark, TokenTree::Group(attribute), rest @ ..]
                if is_mark(Some(mark), '#') && is_of_tests(attribute) =>
            {
                at += 2 + item_length(rest);
                continue;
            }
            _ => {}
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), product(group.stream())))
            }
            other => other.clone(),
        });
        at += 1;
    }
    kept.into_iter().collect()
}

/// `#![cfg(test)]`, which gives the whole file or module to the tests.
fn is_all_of_tests(tokens: &[TokenTree]) -> bool {
    match tokens {
        [mark, bang, TokenTree::Group(attribute), ..] => {
            is_mark(Some(mark), '#') && is_mark(Some(bang), '!') && is_of_tests(attribute)
        }
        _ => false,
    }
}

/// `[test]`, and a `[cfg(…)]` that asks for tests.
fn is_of_tests(attribute: &Group) -> bool {
    match list(attribute.stream()).as_slice() {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(condition)] => {
            let condition = list(condition.stream());
            let is = |name: &str| condition.iter().any(|it| is_word(Some(it), name));
            word == "cfg"
                && (is("test")
                    || (is("all")
                        && condition.iter().any(|it| match it {
                            TokenTree::Group(all) => {
                                list(all.stream()).iter().any(|it| is_word(Some(it), "test"))
                            }
                            _ => false,
                        })))
        }
        _ => false,
    }
}

/// How many tokens the item, field or statement takes that the tokens begin with.
fn item_length(tokens: &[TokenTree]) -> usize {
    let mut at = 0;
    while is_mark(tokens.get(at), '#') {
        at += 2;
    }
    if is_word(tokens.get(at), "pub") {
        at += 1;
        at += usize::from(matches!(tokens.get(at), Some(TokenTree::Group(_))));
    }
    let is = |words: &[&str]| words.iter().any(|word| is_word(tokens.get(at), word));
    let ends_with_mark = is(&["use", "static", "type", "let"])
        || (is(&["const"]) && !["fn", "unsafe", "async"].iter().any(|it| is_word(tokens.get(at + 1), it)));
    let is_item = is(&["fn", "impl", "mod", "struct", "enum", "trait", "unsafe", "async", "const", "extern"]);
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => !ends_with_mark && group.delimiter() == Delimiter::Brace,
        token => is_mark(Some(token), ';') || (!ends_with_mark && !is_item && is_mark(Some(token), ',')),
    };
    let rest = tokens.get(at..).unwrap_or_default();
    at + rest.iter().position(ends).map_or(rest.len(), |it| it + 1)
}

fn tokens(file: &str, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn list(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn plain(word: &proc_macro2::Ident) -> String {
    let word = word.to_string();
    word.strip_prefix("r#").map(str::to_owned).unwrap_or(word)
}

fn joined(above: &[String], below: &[String]) -> Path {
    above.iter().chain(below).cloned().collect()
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(it)) if it == word)
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// What `a/b.rs` names when this is its text.
    fn named(text: &str) -> Vec<String> {
        let files = files(&[
            ("lib.rs", "mod a; mod far;"),
            ("a/mod.rs", "mod b; mod c; #[cfg(test)] mod probe; pub use c::Seen;"),
            ("a/b.rs", text),
            ("a/b/child.rs", ""),
            ("a/c.rs", ""),
            ("a/probe.rs", ""),
            ("far/mod.rs", "#[macro_use] mod deep; mod tests {}"),
            ("far/deep.rs", "/// Says.\n#[macro_export]\nmacro_rules! say { () => {} }"),
        ]);
        let mut products = Modules::of(&files).products(&files);
        products.remove("a/b.rs").unwrap().named.into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn a_use_is_resolved_through_braces_aliases_and_globs() {
        assert_eq!(named("use super::c::Seen;"), ["crate::a::c::Seen"]);
        assert_eq!(
            named("pub use super::super::far::{deep::{self, X as Y}, Z};"),
            ["crate::far::Z", "crate::far::deep", "crate::far::deep::X"]
        );
        assert_eq!(named("use crate::{a::c, far::deep::*};"), ["crate::a::c", "crate::far::deep"]);
        assert_eq!(
            named("mod child; use child::One; use self::child::Two;"),
            ["crate::a::b::child::One", "crate::a::b::child::Two"]
        );
        assert_eq!(named("use deep::X; use crate::far::deep;"), ["crate::far::deep", "crate::far::deep::X"]);
        assert_eq!(named("use ::std::fs; use tokio::{self, time};"), ["std::fs", "tokio", "tokio::time"]);
    }

    #[test]
    fn a_path_in_the_text_is_resolved_by_what_its_block_imports() {
        assert_eq!(named("fn f() { super::c::g(); }"), ["crate::a::c::g"]);
        assert_eq!(
            named("use super::c as other; const X: u8 = vec![other::X];"),
            ["crate::a::c", "crate::a::c::X"]
        );
        assert_eq!(named("use super::*; type X = c::X;"), ["crate::a", "crate::a::c::X"]);
        assert_eq!(
            named("fn f() { use crate::far as c; c::g() } fn h() { c::g() }"),
            ["c::g", "crate::far", "crate::far::g"]
        );
        assert_eq!(named("macro_rules! m { ($x:ident) => { $crate::far::f($x::y) } }"), ["crate::far::f"]);
        assert_eq!(
            named("mod inner { use super::super::c::X; fn f() { super::g() } }"),
            ["crate::a::b::g", "crate::a::c::X"]
        );
    }

    #[test]
    fn what_is_no_path_is_not_taken_for_one() {
        let text = r#"
            // super::c::g()
            /// [`super::c`]
            pub(in crate::a) fn f(x: &X) -> impl Sized + use<'_> { x.c::<u8>().d; "super::c::g"; <X as Y>::Z }
        "#;
        assert_eq!(named(text), Vec::<String>::new());
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        assert_eq!(named("#[cfg(test)] mod tests { use super::super::c::X; }"), Vec::<String>::new());
        assert_eq!(named("#[cfg(test)]\nuse super::c::{X, Y};\nuse super::c::Z;"), ["crate::a::c::Z"]);
        assert_eq!(
            named("#[cfg(all(test, unix))] fn f<A, B>() { super::c::f() } type T = super::c::T;"),
            ["crate::a::c::T"]
        );
        assert_eq!(named("struct X { #[cfg(test)] x: super::c::X, y: super::c::Y }"), ["crate::a::c::Y"]);
        assert_eq!(named("#[cfg(not(test))] use super::c::X;"), ["crate::a::c::X"]);
        let whole = files(&[("lib.rs", "mod a; use a::X;"), ("a.rs", "#![cfg(test)] pub struct X;")]);
        let modules = Modules::of(&whole);
        assert_eq!(modules.file_of(&["crate".to_owned(), "a".to_owned()]), None);
        assert_eq!(modules.products(&whole).len(), 1);
    }

    #[test]
    fn a_path_ends_in_the_file_of_its_deepest_module() {
        let files = files(&[
            ("lib.rs", "mod a; #[cfg(test)] mod probe;"),
            ("a.rs", "mod b; pub mod inline { pub struct X; }"),
            ("a/b/mod.rs", "#[macro_export] macro_rules! say { () => {} } #[cfg(test)] mod tests;"),
            ("a/b/tests.rs", ""),
            ("probe.rs", "mod below;"),
            ("probe/below.rs", ""),
            ("lost.rs", ""),
        ]);
        let modules = Modules::of(&files);
        let file = |path: &str| modules.file_of(&path.split("::").map(str::to_owned).collect::<Path>());
        assert_eq!(file("crate::a::b::X::new"), Some("a/b/mod.rs"));
        assert_eq!(file("crate::a::X"), Some("a.rs"));
        assert_eq!(file("crate::a::inline::X"), Some("a.rs"));
        assert_eq!(file("crate::say"), Some("a/b/mod.rs"));
        assert_eq!(file("std::fs"), None);
        assert_eq!(file("crate::probe::below::X"), None);
        assert!(!modules.files().contains("lost.rs"));
        let products: Vec<_> = modules.products(&files).into_keys().collect();
        assert_eq!(products, ["a.rs", "a/b/mod.rs", "lib.rs"]);
    }

    #[test]
    fn public_types_are_those_that_others_can_name() {
        let text = "pub struct A; pub(crate) enum B {} struct C; pub(super) struct D; m! { pub struct E {} } pub fn f() {}
            #[cfg(test)] pub struct F; pub type G = u8;";
        let files = files(&[("lib.rs", text)]);
        let product = Modules::of(&files).products(&files).remove("lib.rs").unwrap();
        assert_eq!(product.types, ["A", "B", "E", "G"]);
    }
}
