"""Files have the application's categories, and titles its keys and flags."""

import pytest

from tformance_seed.sources.detection import file_category, is_hotfix, is_revert, jira_key

CATEGORIES = {
    "javascript": "src/app.ts __tests__/a.ts cypress/e2e/a.cy.ts a.d.ts lib/a.mjs",
    "frontend": "src/components/Button.ts src/Button.tsx web/index.js docs/guide.mdx a.astro a.vue a.svelte"
    " a.dart Style.CSS web/api/a.ts",
    "backend": "src/services/user.ts src/pages/api/users.ts tests/a.py spec/user.rb conftest.py a.html.erb"
    " a.blade.php app/api/a.ts",
    "test": "src/tests/a.py tests/test_a.py src/__tests__/a.ts user_spec.rb a/test/data.json tests.py test.sh"
    " a.spec.ts a_test.go src/TEST_a.py",
    "docs": "README.md requirements.txt CMakeLists.txt docs/a.rst",
    "config": "package.json yarn.lock Dockerfile Makefile .env.example .github/workflows/ci.yml .babelrc"
    " app/Jenkinsfile web.config",
    "other": "docker/Dockerfile.prod go.mod go.sum LICENSE main.tf a.proto a.graphql a.svg a.ipynb a.coffee"
    " a.gradle a.snap noextension",
}


@pytest.mark.parametrize(
    ("name", "category"), [(name, kind) for kind, names in CATEGORIES.items() for name in names.split()]
)
def test_file_has_the_category_of_its_path(name: str, category: str) -> None:
    assert file_category(name) == category


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("fix(PROJ-9): x", "PROJ-9"),
        ("feature/proj-12-x", ""),
        ("feature/POL-77-a", "POL-77"),
        ("Hotfix: POL-1 x", "POL-1"),
        ("A-1 x", ""),
        ("UTF-8 in ABC-1", "UTF-8"),
        ("bump SHA-256", "SHA-256"),
        ("CVE-2024-1234 x", "CVE-2024"),
        ("GPT-4 x", "GPT-4"),
        ("RFC-7231", "RFC-7231"),
        ("", ""),
    ],
)
def test_jira_key_is_the_first_that_looks_like_one(text: str, key: str) -> None:
    assert jira_key(text) == key


@pytest.mark.parametrize(
    ("title", "revert", "hotfix"),
    [
        ('Revert "x"', True, False),
        ("irreverent x", False, False),
        ("Hotfix: POL-1 x", False, True),
        ("Add a revert button", True, False),
        ("fix login (hot-fix)", False, False),
        ('REVERT "HOTFIX: x"', True, True),
    ],
)
def test_titles_mark_reverts_and_hotfixes(title: str, revert: bool, hotfix: bool) -> None:
    assert (is_revert(title), is_hotfix(title)) == (revert, hotfix)
