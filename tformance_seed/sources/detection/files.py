"""Classify files by their paths: what they are for, and whether they configure an AI tool."""

import functools
import itertools
import posixpath
import re

#: Folders, except at the top, whose files are tests; and beginnings and parts of the names of test files.
TEST_FOLDERS = frozenset({"tests", "test", "__tests__"})
TEST_BEGINNINGS, TEST_PARTS = ("test_", "test."), ("_test.", ".test.", ".spec.", "_spec.")

#: Extensions of scripts, whose category depends on their folders: the first row with one of them applies.
SCRIPT_EXTENSIONS = frozenset({".js", ".ts", ".mjs", ".cjs"})
SCRIPT_FOLDERS = (
    ("backend", "app/api pages/api"),
    (
        "frontend",
        "app/directives app/guards app/pipes apps/admin apps/dashboard client components composables contexts"
        " frontend hooks layouts pages pinia redux screens store stores templates ui views vuex web",
    ),
    (
        "backend",
        "api apis app/jobs app/mailers backend bin channels cmd controller controllers crud database db"
        " decorators dependencies deps endpoints entity forms guards handlers interceptors lib/web live"
        " management middleware middlewares migrations models modules plugs prisma repositories repository"
        " resolvers routers routes schemas scripts seeds serializers server services",
    ),
)

#: Category -> extensions.
EXTENSIONS = {
    "frontend": ".angular .astro .css .dart .ejs .handlebars .hbs .htm .html .jade .jsx .less .mdx .pug"
    " .razor .sass .scss .styl .stylus .svelte .tsx .vue",
    "backend": ".ada .adb .ads .asm .bas .bash .c .cbl .cc .cl .clj .cljs .cob .cpp .cr .cs .cxx .d .dpk"
    " .dpr .erb .erl .ex .exs .f .f03 .f08 .f90 .f95 .fish .for .fs .fsi .gleam .go .groovy .h .hh .hpp .hrl"
    " .hs .hxx .java .jl .kt .kts .lhs .lisp .lsp .lua .m .ml .mli .mm .nim .pas .php .php3 .php4 .php5 .phps"
    " .phtml .pl .pm .py .pyw .pyx .r .rake .rb .rs .s .scala .sh .sql .swift .v .vb .vba .zig .zsh",
    "docs": ".adoc .asciidoc .markdown .md .org .rdoc .rst .tex .txt .wiki",
    "config": ".babelrc .cfg .conf .config .dockerfile .editorconfig .env .eslintrc .ini .json .lock"
    " .prettierrc .properties .toml .xml .yaml .yml",
}

#: Names of configuration files, as is every name that begins with a dot.
CONFIG_NAMES = frozenset(
    {
        "brewfile",
        "cakefile",
        "dockerfile",
        "gemfile",
        "jenkinsfile",
        "makefile",
        "procfile",
        "rakefile",
        "vagrantfile",
    }
)

#: Number of paths of which the answers are kept: the same files are changed again and again.
MAX_KNOWN = 1 << 14

_CATEGORY_OF_EXTENSION = {
    extension: category for category, extensions in EXTENSIONS.items() for extension in extensions.split()
}
_SCRIPT_FOLDERS = [(category, frozenset(folders.split())) for category, folders in SCRIPT_FOLDERS]

#: Tool -> the paths of the files that configure it, from the root or at the end.
AI_FILES = {
    "claude": r"claude\.md$|^\.claude/|^\.github/workflows/claude[^/]*\.yml$",
    "cursor": r"\.cursorrules$|^\.cursor/(?:rules/.*\.mdc|environment\.json|mcp\.json)$",
    "copilot": r"^\.github/copilot-instructions\.md$",
    "aider": r"^\.aider\.conf\.yml$|^\.aider/",
    "coderabbit": r"^\.coderabbit\.ya?ml$",
    "greptile": r"^\.greptile\.ya?ml$",
}

#: Paths that look like a tool's and are about something else.
NO_AI_FILES = r"cursor[-_]pagination|/ai/gemini/|/langchain.*/gemini|contract-rules|-rules\.pro$"

_AI_FILE = re.compile("|".join(AI_FILES.values()), re.IGNORECASE)
_NO_AI_FILE = re.compile(NO_AI_FILES, re.IGNORECASE)


@functools.lru_cache(maxsize=MAX_KNOWN)
def file_category(filename: str) -> str:
    """Classify a file as frontend, backend, javascript, test, docs, config or other, from its path."""
    *folders, name = filename.lower().split("/")
    if (
        not TEST_FOLDERS.isdisjoint(folders[1:])
        or name.startswith(TEST_BEGINNINGS)
        or name == "tests.py"
        or any(part in name for part in TEST_PARTS)
    ):
        return "test"
    extension = posixpath.splitext(name)[1]
    if extension in SCRIPT_EXTENSIONS:
        nested = {*folders, *map("/".join, itertools.pairwise(folders))}
        return next((found for found, some in _SCRIPT_FOLDERS if not some.isdisjoint(nested)), "javascript")
    if category := _CATEGORY_OF_EXTENSION.get(extension):
        return category
    return "config" if name in CONFIG_NAMES or name.startswith(".") else "other"


@functools.lru_cache(maxsize=MAX_KNOWN)
def is_ai_file(filename: str) -> bool:
    """Return whether a file configures an AI tool, such as ``CLAUDE.md`` or ``.cursor/rules/api.mdc``."""
    return _AI_FILE.search(filename) is not None and _NO_AI_FILE.search(filename) is None
