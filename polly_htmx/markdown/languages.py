"""What the lexers know of each language: its keywords, comments and strings."""

from __future__ import annotations

from dataclasses import dataclass, replace

C_COMMENTS = r"//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
HASH_COMMENTS = r"\#[^\n]*+"
DASH_COMMENTS = r"--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"

DOUBLE = r'"(?:[^"\\\n]|\\.)*+"?'
SINGLE = r"'(?:[^'\\\n]|\\.)*+'?"
BACKTICK = r"`(?:[^`\\]|\\[\s\S])*+`?"
CHARACTER = r"'(?:[^'\\\n]|\\[^\n]{1,9})'"
TRIPLE = (
    r'[A-Za-z]{0,2}"""(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:""")?'
    r"|[A-Za-z]{0,2}'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:''')?"
)

_FLOW = "break case continue default do else for if return switch while "
_CLASSES = (
    _FLOW + "abstract catch class enum extends final finally implements import"
    " interface new package private protected public static super this throw"
    " throws try "
)
_C = _FLOW + (
    "auto const enum extern goto inline register restrict sizeof static struct"
    " typedef union volatile "
)
_JS = _CLASSES + (
    "as async await const debugger declare delete export from function get in"
    " instanceof keyof let namespace of readonly satisfies set type typeof var"
    " void with yield "
)


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language of words, strings, numbers and comments."""

    keywords: str
    """Its reserved words, with spaces between them."""
    comments: str = C_COMMENTS
    """A pattern of a whole comment."""
    strings: str = f"{DOUBLE}|{SINGLE}"
    """A pattern of a whole string."""
    marked: str = r"@[\w.]++"
    """A pattern of decorators and the like."""
    variables: str = r"\$\w++"
    """A pattern of names that begin with a mark."""
    keys: str = ""
    """A pattern of names to which the text gives a value."""
    ignore_case: bool = False
    """Whether keywords may be written in capitals."""


_SCRIPT = Language(keywords="", comments=HASH_COMMENTS)
_DATA = replace(
    _SCRIPT, keys=r"(?<![\w.-])[\w.-]++(?=:|[ ]?=)", marked=r"\[[\w. -]++\]"
)

LANGUAGES = {
    "bash sh shell zsh": replace(
        _SCRIPT,
        keywords="case do done elif else esac exit export fi for function if in local"
        " read return set source then until while cd echo sudo",
        variables=r"\$\w++|\$\{[\w:-]++\}",
    ),
    "c": Language(keywords=_C, marked=r"\#[ ]?\w++"),
    "c++ cpp": Language(
        keywords=_C + "catch class concept constexpr delete explicit friend mutable"
        " namespace new noexcept operator override private protected public requires"
        " template this throw try typename using virtual",
        marked=r"\#[ ]?\w++",
    ),
    "c# cs csharp": Language(
        keywords=_CLASSES + "as async await base const delegate event foreach get in"
        " internal is lock namespace out override params readonly record ref sealed"
        " set struct using var virtual void when where yield",
    ),
    "css scss": Language(
        keywords="important",
        marked=r"@[\w-]++",
        variables=r"\$[\w-]++|--[\w-]++",
        keys=r"(?<![\w-])[\w-]++(?=:)",
    ),
    "docker dockerfile": replace(
        _SCRIPT,
        keywords="ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN"
        " SHELL USER VOLUME WORKDIR",
    ),
    "go golang": Language(
        keywords=_FLOW + "chan const defer fallthrough func go goto import interface"
        " map package range select struct type var",
        strings=f"{DOUBLE}|{CHARACTER}|{BACKTICK}",
    ),
    "ini toml yaml yml": _DATA,
    "java": Language(
        keywords=_CLASSES + "assert instanceof record sealed synchronized var void"
        " volatile",
        strings=f"{TRIPLE}|{DOUBLE}|{SINGLE}",
    ),
    "javascript js jsx ts tsx typescript": Language(
        keywords=_JS, strings=f"{DOUBLE}|{SINGLE}|{BACKTICK}"
    ),
    "json": Language(keywords="", keys=r'"(?:[^"\\\n]|\\.)*+"(?=:)'),
    "kotlin": Language(
        keywords=_CLASSES + "as by companion constructor data fun in init inline"
        " internal is object open override sealed suspend typealias val var when",
        strings=f"{TRIPLE}|{DOUBLE}|{CHARACTER}",
    ),
    "lua": Language(
        keywords="and break do else elseif end for function if in local not or repeat"
        " return then until while",
        comments=r"--\[\[(?:[^\]]|\](?!\]))*+(?:\]\])?|--[^\n]*+",
    ),
    "makefile nginx": replace(_SCRIPT, variables=r"\$\([\w-]++\)|\$\w++"),
    "perl": replace(
        _SCRIPT,
        keywords="and elsif else foreach for if last my next not or our package print"
        " return sub unless until use while",
        variables=r"[$@%]\w++",
    ),
    "php": Language(
        keywords=_CLASSES + "array as echo elseif fn foreach function isset match"
        " namespace readonly require require_once trait use var void yield",
        comments=f"{C_COMMENTS}|{HASH_COMMENTS}",
    ),
    "powershell ps1": replace(
        _SCRIPT,
        keywords="begin catch else elseif end finally foreach for function if param"
        " process return switch throw try until while",
        ignore_case=True,
    ),
    "py pycon python python3": replace(
        _SCRIPT,
        keywords="and as assert async await break case class continue def del elif"
        " else except finally for from global if import in is lambda match nonlocal"
        " not or pass raise return try while with yield",
        strings=f"{TRIPLE}|[A-Za-z]{{0,2}}(?:{DOUBLE}|{SINGLE})",
    ),
    "r": replace(
        _SCRIPT, keywords="break else for function if in library next repeat while"
    ),
    "rb ruby": replace(
        _SCRIPT,
        keywords="alias and begin break case class def do else elsif end ensure for if"
        " in module next not or require rescue return self super then unless until"
        " when while yield",
        variables=r"[@$:]\w++",
    ),
    "rs rust": Language(
        keywords=_FLOW + "as async await const crate dyn enum extern fn impl in let"
        " loop match mod move mut pub ref self static struct super trait type unsafe"
        " use where",
        strings=f"{DOUBLE}|{CHARACTER}",
        marked=r"\#!?\[[^\]\n]*+\]?|\w++!(?=[(\[{])",
    ),
    "scala": Language(
        keywords=_CLASSES + "def given implicit lazy match object override sealed then"
        " trait type using val var with yield",
        strings=f"{TRIPLE}|{DOUBLE}|{CHARACTER}",
    ),
    "postgresql sql sqlite3": Language(
        keywords="add all alter and as asc begin between by case check column commit"
        " constraint create cross default delete desc distinct drop else end exists"
        " foreign from full group having if in index inner insert into is join key"
        " left like limit not offset on or order outer primary references returning"
        " right rollback select set table then union unique update using values view"
        " when where with",
        comments=DASH_COMMENTS,
        ignore_case=True,
    ),
    "swift": Language(
        keywords=_FLOW + "actor async await class defer enum extension func guard"
        " import in init inout is let override private protocol public repeat self"
        " static struct super throw throws try typealias var where",
        strings=f"{TRIPLE}|{DOUBLE}",
    ),
}
