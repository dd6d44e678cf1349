import { describe, expect, test } from "vitest";
import { Device } from "./device.ts";
import { DeviceModel } from "./device-model.ts";
import { boolProperty, stringProperty, uintProperty } from "./properties.ts";

class Sample extends Device {
  static override readonly typeName = "sample";
  static override readonly properties = [
    uintProperty<Sample>("lanes", "uint8", "lanes"),
    stringProperty<Sample>("label", "label"),
    boolProperty<Sample>("fast", "fast"),
  ];

  lanes = 4;
  label = "none";
  fast = false;
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

  test("take numbers given as text, as command lines give them", () => {
    const device = sample();
    device.setProperty("lanes", "0x10");
    expect(device.lanes).toBe(16);
  });

  test.each([256, -1, 1.5, "many", "", " ", true])("refuse %j for a byte", (value) => {
    expect(() => sample().setProperty("lanes", value)).toThrow(/give a whole number from 0 to 255/);
  });

  test("refuse what is neither true nor false", () => {
    expect(() => sample().setProperty("fast", 1)).toThrow(/give true or false/);
  });

  test("are fixed once the device is realized", () => {
    const device = sample();
    device.plug();
    expect(() => device.setProperty("lanes", 1)).toThrow(/set it before/);
  });
});
