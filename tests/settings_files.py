"""Settings files of tools as people have them: what an entry has to get into, and out of again."""

TOML: dict[str, str] = {
    "empty": "",
    "only white space": "\n\n",
    "only a comment": "# nothing yet\n",
    "a comment without a line end": "# nothing yet",
    "a schema comment on top": '#:schema https://example.org/schema.json\nmodel = "a"\n',
    "one key": 'model = "gpt-5"\n',
    "no line end at the end": 'model = "gpt-5"',
    "tables after": 'model = "a"\n\n[tui]\ntheme = "dark"\n\n[mcp_servers.one]\ncommand = "x"\n',
    "only tables": '[tui]\ntheme = "dark"\n\n[history]\npersistence = "none"',
    "a comment of a table": 'model = "a"\n\n# all my servers\n[mcp_servers.one]\ncommand = "x"\n',
    "a comment above the only table": "# my servers\n[mcp_servers.one]\nargs = []\n",
    "comments everywhere": "# top\n\na = 1 # one\n  # in\nb = 2\n\n# table\n[t] # t\nc = 3 # end",
    "an array of tables": "a = 1\n[[rules]]\nname = 1\n[[rules]]\nname = 2\n",
    "tables out of order": "[a.b]\nx = 1\n[c]\ny = 2\n[a.d]\nz = 3\n",
    "dotted keys": 'tui.theme = "dark"\ntui.size = 3\n\n[projects."/a b"]\ntrust = "yes"\n',
    "dotted keys after a comment": "a = 1\n\n# of b\nb.c = 1\nb.d = 2\n\n[z]\ne.f = 1\n",
    "notify inside a table": '[tui]\nnotify = ["not", "this"]\nnotifications = true\n',
    "notify inside an inline table": 'tui = { notify = ["not this"] }\n[profiles.x]\nnotify = []\n',
    "notify in a multi-line text": 'notes = """\nnotify = ["not this"]\n[tui]\n"""\n\n[t]\na = 1\n',
    "notify in a comment": '# notify = ["not", "this"]\nmodel = "a"\n',
    "a text that ends like a comment": 'notes = """\n\n# text"""\n[t]\na = 1\n',
    "a foreign notify": 'notify = ["notify-send", "Codex"]\nmodel = "a"\n',
    "a foreign notify at the end": 'model = "a"\nnotify = ["notify-send", "Codex"]',
    "a foreign notify with a comment": 'notify = ["terminal-notifier"] # beeps\n\n[t]\na = 1\n',
    "a foreign notify, oddly spaced": "\t notify  =[ 'a' ,'b' , ]   # odd\n",
    "a foreign notify under a quoted key": '"notify" = ["say", "done"]\n',
    "a multi-line notify": (
        'model = "a"\n\nnotify = [\n    "python3", # which\n    # a line\n    "/opt/n.py",\n] # end'
        "\n\n[t]\na = 1\n"
    ),
    "a notify in literal and multi-line texts": (
        "notify = ['C:\\tools\\n.exe', \"\"\"two\nlines\"\"\", '''raw ' quote''']\nmodel = 'a'\n"
    ),
    "an empty notify": "notify = []\nmodel = 'a'\n",
    "a notify with quotes, newlines and unicode": (
        'notify = ["sh", "-c", "echo \\"$1\\" \'x\'\\n", "größe 😀 $HOME `id`"]\n'
    ),
    "CRLF": 'model = "a"\r\n\r\n[tui]\r\ntheme = "dark"\r\n',
    "CRLF with a foreign notify": 'model = "a"\r\nnotify = ["say"] # x\r\n\r\n[tui]\r\n',
    "CRLF with a multi-line notify": 'notify = [\r\n  "say",\r\n  "done",\r\n]\r\nmodel = "a"\r\n',
    "CRLF without a line end": 'model = "a"\r\neffort = "high"',
    "CRLF with a comment of a table": "a = 1\r\n\r\n# servers\r\n[mcp]\r\nb = 2\r\n",
    "mixed line ends": 'model = "a"\r\neffort = "high"\n\n[tui]\n',
    "a byte order mark": '\ufeffmodel = "a"\n[tui]\n',
    "a byte order mark and nothing": "\ufeff",
    "a byte order mark, CRLF and a notify": '\ufeff# top\r\nnotify = ["say"]\r\n',
    "tabs and trailing spaces": "a\t=\t1  \n\t\n[t]\t\n\tb = 2 \n",
    "numbers, dates and special floats": (
        "a = 0x1F\nb = 1_000.5e-3\nc = nan\nd = -inf\ne = 1979-05-27T07:32:00.999-07:00\n"
        "f = 07:32:00\n[t]\ng = 1979-05-27 07:32:00Z\n"
    ),
    "unicode keys": '"größe" = 1\n"a.b" = 2\n\'c d\' = 3\n\n["ʎ"]\nx = "😀"\n',
    "inline tables and nested arrays": "a = { b = [[1, 2], [3]], c = { d = 1 } }\nb = [\n 1,\n]\n",
}

JSON: dict[str, str] = {
    "nothing": "",
    "a line end": "\n",
    "an empty object": "{}",
    "an empty object over lines": "{\n}\n",
    "an empty object with a comment": "{\n  // nothing yet\n}\n",
    "only a comment": "// nothing yet",
    "one line": '{"theme": "Dracula", "vimMode": true}',
    "one line, no spaces": '{"a":1,"b":{"c":[1,2]}}\n',
    "two spaces": '{\n  "theme": "Dracula",\n  "security": {\n    "auth": {}\n  }\n}\n',
    "four spaces": '{\n    "theme": "Dracula",\n    "list": [\n        1,\n        2\n    ]\n}',
    "tabs": '{\n\t"theme": "Dracula",\n\t"servers": {\n\t\t"a": {\n\t\t\t"b": 1\n\t\t}\n\t}\n}\n',
    "no indentation": '{\n"a": 1,\n"b": 2\n}\n',
    "odd spaces": '{ "a" : 1 ,\n\n      "b":2   ,"c" :[ ] }\n\n\n',
    "CRLF": '{\r\n  "theme": "Dracula",\r\n  "a": [\r\n    1\r\n  ]\r\n}\r\n',
    "a byte order mark": '\ufeff{\n  "theme": "Dracula"\n}\n',
    "a byte order mark and an empty object": "\ufeff{}\n",
    "keys out of order, escapes, unicode": '{"z": "\\u00fc\\/\\n", "größe": "😀", "a": -1.50e+10}',
    "comments": (
        '// top {\n{\n  // of a\n  "a": 1, /* after a */\n  "b": "// no \\" comment" // after b\n'
        "  // at the end\n}\n// below\n"
    ),
    "comments in one line": '{ "a": 1 /* one */ } // end',
    "large numbers": '{\n  "a": 12345678901234567890123,\n  "b": 1.0,\n  "c": 1e400\n}\n',
    "empty hooks": '{\n  "hooks": {},\n  "a": 1\n}\n',
    "hooks for another event": (
        '{\n  "hooks": {\n    "BeforeTool": [\n      {"matcher": "x", "hooks": []}\n    ]\n  },\n'
        '  "hooksConfig": {"enabled": true}\n}\n'
    ),
    "an empty event": '{\n  "hooks": {\n    "AfterAgent": []\n  }\n}\n',
    "hooks of others for the event": (
        '{\n  "hooks": {\n    "AfterAgent": [\n      {\n        "matcher": "*",\n        "hooks"'
        ': [\n          {"type": "command", "command": "say done", "name": "voice"}\n        ]\n'
        "      }\n    ]\n  }\n}\n"
    ),
    "hooks of others in one line": (
        '{"hooks": {"AfterAgent": [{"hooks": [{"type": "command", "command": "x"}]}]}, "a": 1}'
    ),
    "hooks of others with comments": (
        '{\n  "hooks": {\n    "AfterAgent": [\n      // voice\n      {"hooks": []} // off\n'
        "      // end\n    ]\n  }\n}\n"
    ),
    "definitions that are none": (
        '{\n  "hooks": {\n    "AfterAgent": [null, {"hooks": 1}, 3, "x"]\n  }\n}'
    ),
    "a key twice": '{"a": 1, "hooks": {"b": 1}, "a": 2, "hooks": {"c": 2}}',
    "a hook without a command": (
        '{"hooks": {"AfterAgent": [{"hooks": [{"type": "command", "command": "it\'s"}, 7, {}]}]}}'
    ),
}

INVALID_TOML = {
    "no value": ("a =\n", "line 1"),
    "an open array": ('a = 1\nnotify = [\n "x"\n', "Unclosed array"),
    "a key twice": ("a = 1\na = 2\n", "line 2"),
    "a text": ('notify = "say done"\n', "not a list of texts"),
    "a number among texts": ('notify = ["say", 1]\n', "not a list of texts"),
    "a table": ('[notify]\ncommand = "say"\n', "not a list of texts"),
    "JSON": ('{"notify": []}', "line 1"),
}

INVALID_JSON = {
    "an open object": ('{\n  "a": 1\n', "line 3"),
    "a trailing comma": ('{\n  "a": 1,\n}\n', "line 3"),
    "a list": ("[]", "not a JSON object"),
    "hooks that are a list": ('{"hooks": []}', "'hooks' is not an object"),
    "hooks that are nothing": ('{"hooks": null}', "'hooks' is not an object"),
    "an event that is an object": (
        '{"hooks": {"AfterAgent": {}}}',
        "'hooks.AfterAgent' is not a list",
    ),
    "an open comment": ('{"a": 1} /* ', "line 1"),
    "TOML": ("a = 1\n", "line 1"),
}
