import { describe, expect, test } from "vitest";
import { HelpRequest } from "#host";
import { OptionReader, parseKeyValues } from "./key-values.ts";

describe("properties of an option", () => {
  test.each<[string, string | undefined, [string, string][]]>([
    [
      "a=1,b=2",
      undefined,
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "x,a=1",
      "driver",
      [
        ["driver", "x"],
        ["a", "1"],
      ],
    ],
    [
      "a=1,,2,b=,,",
      undefined,
      [
        ["a", "1,2"],
        ["b", ","],
      ],
    ],
    [
      '{"driver": "file", "read-only": true, "file": {"filename": "a,b", "size": 7}}',
      "driver",
      [
        ["driver", "file"],
        ["read-only", "on"],
        ["file.filename", "a,b"],
        ["file.size", "7"],
      ],
    ],
    [
      '{"type": "user", "hostfwd": [{"str": "tcp::1-:2"}, {"str": "tcp::3-:4"}], "n": [1, "b"]}',
      "type",
      [
        ["type", "user"],
        ["hostfwd", "tcp::1-:2"],
        ["hostfwd", "tcp::3-:4"],
        ["n", "1"],
        ["n", "b"],
      ],
    ],
    ["a=b=c", undefined, [["a", "b=c"]]],
    ["a=", undefined, [["a", ""]]],
    [
      "user,restrict",
      "type",
      [
        ["type", "user"],
        ["restrict", "on"],
      ],
    ],
    [
      "hostfwd=1,hostfwd=2",
      undefined,
      [
        ["hostfwd", "1"],
        ["hostfwd", "2"],
      ],
    ],
  ])("%s", (text, implied, expected) => {
    expect(parseKeyValues("-x", text, implied)).toEqual(expected);
  });

  test.each(["", "=1", "a=1,", "a=1,=2"])("%j has a part without a name", (text) => {
    expect(() => parseKeyValues("-x", text)).toThrow(
      `-x ${text || "''"}: a property has no name; give name=value`,
    );
  });
});

test.each([
  ['{"a":1,"a":2}', "a"],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"b":{"a":1,"c":{},"a":2}}', "a"],
  ['{"x":[{"a":1},{"a":2}],"x":0}', "x"],
])("%s has a member twice", (text, name) => {
  expect(() => parseKeyValues("-x", text)).toThrow(`-x ${text}: ${name} is given twice; give it once`);
});

test.each(['{"a":{"a":1},"b":{"a":"a"}}', '{"a":"{\\"b\\":1,","b":2,"c":"b"}', '{"a":"}","b":"{"}'])(
  "%s has every member once",
  (text) => {
    expect(() => parseKeyValues("-x", text)).not.toThrow();
  },
);

test("an option without properties says so", () => {
  expect(() => new OptionReader("-x a=1", [["a", "1"]]).end()).toThrow(
    /^-x a=1: property a is unknown; leave it out$/,
  );
});

describe("an option whose properties may be given once", () => {
  const reader = (text: string) => new OptionReader(`-x ${text}`, parseKeyValues("-x", text));

  test("returns each property, and reports what is left", () => {
    const option = reader("a=1,on=on,c=z");
    expect([
      option.take("a"),
      option.switch("on"),
      option.switch("off"),
      option.choice("c", ["y", "z"], "y"),
    ]).toEqual(["1", true, false, "z"]);
    option.end();
  });

  test.each<[string, RegExp]>([
    ["a=1,a=2", /^-x a=1,a=2: a is given twice; give it once$/],
    ["b=1", /^-x b=1: property b is unknown; there are a, c, on$/],
    ["on=1", /^-x on=1: on=1 is unknown; give on=on, on=off$/],
    ["c=q", /^-x c=q: c=q is unknown; give c=y, c=z$/],
  ])("refuses %s", (text, message) => {
    expect(() => {
      const option = reader(text);
      option.take("a");
      option.switch("on");
      option.choice("c", ["y", "z"], "y");
      option.end();
    }).toThrow(message);
  });
});

describe("an option that asks for help", () => {
  const help = (text: string, implied?: string): string => {
    const option = new OptionReader(`-x ${text}`, parseKeyValues("-x", text, implied));
    try {
      option.require("file");
      option.take("a");
      option.switch("on");
      option.choice("c", ["y", "z"], "y");
      option.end();
    } catch (error) {
      if (error instanceof HelpRequest) return error.text;
      throw error;
    }
    throw new Error(`${text}: no help`);
  };
  const all = "x options:\n  a=<value>\n  c=y|z\n  file=<value>\n  on=on|off\n";

  test.each(["help", "?", "a=1,help", "help=on,c=z", "file=f,?", '{"help": true}'])("%s", (text) => {
    expect(help(text)).toBe(all);
  });

  test.each(["help", "?"])("%s where the first word is the file's name", (text) => {
    expect(help(text, "file")).toBe(all);
  });

  test.each([
    ["file=f,c=help", "c: y z"],
    ["file=f,c=?,a=1", "c: y z"],
    ["file=f,on=help", "on: on off"],
  ])("%s asks for one property's values", (text, values) => {
    expect(help(text)).toBe(`Supported values of ${values}\n`);
  });

  test.each(["file=help", "a=help,file=f", "b=help,file=f"])("%s does not", (text) => {
    expect(() => help(text)).toThrow(/: no help$|: property b is unknown/);
  });

  test("and a property that does not exist is refused first", () => {
    expect(() => help("help,nothing=1")).toThrow("property nothing is unknown");
  });
});
