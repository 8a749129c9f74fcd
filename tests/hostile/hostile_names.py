"""Some 300 names made to be mistaken for something else by whatever reads what gradcli writes."""

from gradcli.codegen import LANGUAGES

QUOTES = [
    '"', "'", "''", "'''", '"""', '""', "`", "``", "\u2018x\u2019", 'a"b', "a'b", "x'y\"z", "q\"'\"'q", "$$", "$tag$",
    "\\'", '\\"', "\\", "\\\\", "a\\", "a\\\\", "a\\n", "\\x41", "\\u0041", "\\N{DOLLAR SIGN}", "??/", "a??/",
    "??'", "??)",
]  # fmt: skip
CLOSERS = [
    "*/", "/*", "*/ x /*", "//", "///", "//!", "--", "-- x", "--\\", "-->", "<!--", "<!-- x -->", "]]>",
    "<![CDATA[", "]]", "[[", "}}", "{{", "}", "{", ")", "(", "]", "[", ");", "});", "*)", "(*", "=#", "#=", "#",
    "#!", "#|", "|#", "%>", "?>", "%}", "</script>", "</style>", "</title></svg>", "</math>", "</testcase>",
    "\\end{document}", "\\end{cases}", "\\)", "\\]", ";", ";;", ",", "|", "||", "&", "&&", "&amp;", "&lt;",
    "&#8238;", "&quot;", "@", "!", "~", "^", "=", ":", "::", "?", "*",
]  # fmt: skip
TEMPLATES = [
    "%s", "%d", "%n", "%1$n", "%", "%%", "%(x)s", "{}", "{0}", "{0:5}", "{n}", "{x!r}", "${}", "${x}", "$x", "$1",
    "$0", "$_", "{{x}}", "<% x %>", "<?x?>", "#{x}", "\\(x)", "\\(1+1)", "\\1", "\\g<0>", "\\0", "<comment>",
    "<body>", "<name>", "@x@", "$(x)", "!x", ":x", ":'x'", "&&x", "\\N", "\\G", "\\l", "\\textbf{x}", "\\input{x}",
    "$x$", "_", "__", "^x", "x_{1}",
]  # fmt: skip
CONTROLS = [
    *map("a{}b".format, "\0\x01\x07\x08\t\n\x0b\x0c\r\x0e\x1a\x1b\x1c\x1f\x7f"), "a\r\nb", "\x1b[31mred",
    "\x1b]0;title\x07", *map("a{}b".format, "\x80\x84\x85\x8d\x90\x9b\x9c\x9d\x9f\xa0\xad"), "\x9b31m", "\n", "\r",
    "\0",
]  # fmt: skip
UNSEEN = [
    *map("a{}b".format, "\u200b\u200c\u200d\u2060\ufeff\u180e\u034f\u3164\u115f\u2800\ufe0f\u00a0\u3000"),
    *map("a{}b".format, "\u2028\u2029\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    *map("a{}b".format, ["\ufffe", "\uffff", "\U000e0001", "\U0010ffff", "\ue000", "\ufff9"]),
    "\u00e9", "e\u0301", "\u4e2d", "\u0430", "\u03c0", "\U0001d465", "\U0001f600", "\uff02", "\u037e", "\u2215",
]  # fmt: skip
ENCODINGS = [
    'coding:utf_7 +AAo-open("PWNED","w")+AAo-#', 'coding=utf-7 +AAo-open("PWNED","w")+AAo-#', "coding: foo",
    "coding:utf_16", "-*- coding: utf-7 -*-", "vim: set fileencoding=utf-7 :", "encoding: utf-7",
    "-*- mode: perl -*-", "frozen_string_literal: x", "!/bin/sh", "#!/bin/sh", " -*- eval: (x) -*-", "type: ignore",
    "line 7 \"x\"", "pragma x", "@charset", "\ufeffcoding:utf_7",
]  # fmt: skip
WORDS = [
    "__proto__", "constructor", "prototype", "__class__", "__import__", "eval", "exec", "arguments", "this", "self",
    "math", "np", "import", "lambda", "in", "end", "select", "SELECT", "NULL", "null", "true", "false", "None",
    "nan", "inf", "t1", "t2", "f", "x", "out", "points", "points_1", "BEGIN", "NR", "ENV", "M_PI", "x_2", "1st",
    "1e5", "0x1F", "-1", "a" * 300, "\u00e9" * 300, "a b",
]  # fmt: skip
CODE = [
    'x\nopen("PWNED","w")\n', '"; open("PWNED","w"); "', "$(touch PWNED)", "`touch PWNED`", ";touch PWNED;",
    "|touch PWNED", "\n!touch PWNED", '*/require("fs").writeFileSync("PWNED","")//',
    '${require("fs").writeFileSync("PWNED","")}', '";system("touch PWNED");"', '\n}BEGIN{system("touch PWNED")}{',
    '"]=system("touch PWNED");$*["x', '") as $x | error("no") | (".', "\"; ATTACH DATABASE 'PWNED' AS p; --",
    "\"; COPY points TO 'PWNED'; --", "\n.shell touch PWNED", "\n\\! touch PWNED",
    "\" FROM points; DROP TABLE points; --", "x;DROP TABLE points;--",
    "'; call execute_command_line('touch PWNED') !", "\n#error no", "\n#include </dev/null>",
    '"); std::fs::write("PWNED","").unwrap(); //', "#![no_std]", "##[error]no", "::error::no",
    "::set-output name=x::no", "::stop-commands::x", "=cmd|' /C calc'!A0", "@SUM(1)", "=1+1",
]  # fmt: skip
KEYWORDS = sorted({word for row in LANGUAGES.values() for word in row.keywords.split()})
"""Every word that is known to mean something somewhere; few together make a program, so they are run by the lot."""

NAMES = list(dict.fromkeys([*QUOTES, *CLOSERS, *TEMPLATES, *CONTROLS, *UNSEEN, *ENCODINGS, *WORDS, *CODE]))
