from __future__ import annotations

import json

from release.spdx import Package, debian_package, document, go_modules, python_distribution

DIGEST = f"sha256:{'0' * 64}"


def test_a_debian_package_is_what_dpkg_says() -> None:
    status = "Package: libc6\nVersion: 2:2.41-12+deb13u5\nArchitecture: amd64\nDescription: a\n b: c\n"

    assert debian_package(status) == Package(
        "libc6", "2:2.41-12+deb13u5", "pkg:deb/debian/libc6@2%3A2.41-12%2Bdeb13u5?arch=amd64"
    )


def test_a_python_distribution_has_its_license() -> None:
    metadata = (
        "Metadata-Version: 2.4\nName: Py_YAML\nVersion: 6.0\nLicense-Expression: MIT\n\nName: no field\n"
    )

    assert python_distribution(metadata) == Package("Py_YAML", "6.0", "pkg:pypi/py-yaml@6.0", "MIT")


def test_a_go_program_holds_its_modules_as_replaced_and_go_itself() -> None:
    information = (
        "/tmp/program: go1.26.8\n\tpath\texample.com/x/cmd/x\n\tmod\texample.com/x\t(devel)\t\n"
        "\tdep\ta.example/b\tv1.0.0\th1:abc=\n\tdep\tc.example/d\tv2.0.0\n\t=>\te.example/f\tv3.0.0\th1:def=\n"
        "\tbuild\t-trimpath=true\n"
    )

    assert [(package.name, package.version) for package in go_modules(information)] == [
        ("stdlib", "1.26.8"),
        ("a.example/b", "v1.0.0"),
        ("e.example/f", "v3.0.0"),
    ]


def test_a_document_lists_each_package_once_and_is_the_same_again() -> None:
    packages = [Package("b", "1", "pkg:pypi/b@1"), Package("a", "1", "pkg:pypi/a@1")]

    made = document("podpatterns/x:1.0", DIGEST, [*packages, packages[0]], epoch=0)

    assert made == document("podpatterns/x:1.0", DIGEST, reversed(packages), epoch=0)
    content = json.loads(made)
    assert [package["name"] for package in content["packages"]] == ["podpatterns/x:1.0", "a", "b"]
    identifiers = [package["SPDXID"] for package in content["packages"]]
    assert len(set(identifiers)) == 3
    assert [relation["relatedSpdxElement"] for relation in content["relationships"]] == identifiers
