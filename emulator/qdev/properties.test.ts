import { describe, expect, test } from "vitest";
import { Device } from "./device.ts";
import { DeviceModel } from "./device-model.ts";
import { boolProperty, stringProperty, uint64Property, uintProperty } from "./properties.ts";

class Sample extends Device {
  static override readonly typeName = "sample";
  static override readonly properties = [
    uintProperty<Sample>("lanes", "uint8", "lanes"),
    stringProperty<Sample>("label", "label"),
    boolProperty<Sample>("fast", "fast"),
    uint64Property<Sample>("limit", "limit"),
    uintProperty<Sample>("room", "size", "room"),
  ];

  lanes = 4;
  label = "none";
  fast = false;
  limit = 0n;
  room = 0;
}

function sample(): Sample {
  return new DeviceModel().create(Sample);
}

describe("options of a device", () => {
  test("read and write its fields", () => {
    const device = sample();
    device.setProperty("lanes", 255);
    device.setProperty("label", "wide");
    device.setProperty("fast", true);
    expect([device.lanes, device.label, device.fast]).toEqual([255, "wide", true]);
    expect([device.getProperty("lanes"), device.getProperty("fast")]).toEqual([255, true]);
  });

  test("accept numbers as text, as given on command lines", () => {
    const device = sample();
    device.setProperty("lanes", "0x10");
    expect(device.lanes).toBe(16);
  });

  test.each([
    ["010", 8],
    ["+8", 8],
    ["00", 0],
    [" 0X1f ", 31],
  ])("accept %j as QEMU does", (text, value) => {
    const device = sample();
    device.setProperty("lanes", text);
    expect(device.lanes).toBe(value);
  });

  test("have sizes whose digits are decimal even after a zero", () => {
    const device = sample();
    for (const [text, bytes] of Object.entries({ "010": 10, "08": 8, "02K": 2048, "0x10": 16, "7B": 7 })) {
      device.setProperty("room", text);
      expect(device.room).toBe(bytes);
    }
  });

  test.each([256, -1, 1.5, "many", "", " ", true, "08", "0x", "1e2", "0b1", "--1"])(
    "refuse %j for a byte",
    (value) => {
      expect(() => sample().setProperty("lanes", value)).toThrow(/give a whole number from 0 to 255/);
    },
  );

  test("refuse what is neither true nor false", () => {
    expect(() => sample().setProperty("fast", 1)).toThrow(/give true or false/);
    expect(() => sample().setProperty("fast", "maybe")).toThrow(/give true or false/);
  });

  test("accept the words that command lines use for true and false", () => {
    const device = sample();
    const heard = ["on", "off", "yes", "no", "true", "false"].map((word) => {
      device.setProperty("fast", word);
      return device.fast;
    });
    expect(heard).toEqual([true, false, true, false, true, false]);
  });

  test("of 64 bits are exact, and end at 2^64", () => {
    const device = sample();
    device.setProperty("limit", "0x7fffffffffffffff");
    expect(device.getProperty("limit")).toBe(2n ** 63n - 1n);
    expect(() => device.setProperty("limit", 2n ** 64n)).toThrow(/give a whole number from 0 to 2\^64 - 1/);
    expect(() => device.setProperty("limit", "-1")).toThrow(/property limit is -1/);
  });

  test("are fixed once the device is realized", () => {
    const device = sample();
    device.plug();
    expect(() => device.setProperty("lanes", 1)).toThrow(/set it before/);
  });
});
