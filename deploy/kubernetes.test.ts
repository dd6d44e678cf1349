import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type IJob, Job } from "kubernetes-models/batch/v1";
import { type IPersistentVolumeClaim, PersistentVolumeClaim } from "kubernetes-models/v1";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { regionlabCalls, root, runScript, unknownWords } from "./testing/command-line.ts";
import { instructionsOf } from "./testing/dockerfile.ts";
import { complaintsOf } from "./testing/known-fields.ts";

const read = (name: string) => readFileSync(join(root, "deploy", "kubernetes", name), "utf8");

/** A manifest that its schema accepts. */
function jobOf(text: string) {
  const manifest: IJob = parse(text);
  const job = new Job(manifest);
  job.validate();
  const { spec } = job;
  const pod = spec?.template.spec;
  const container = pod?.containers[0];
  if (spec === undefined || pod === undefined || container === undefined)
    throw new Error("there is no container");
  const environment = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? ""]));
  return { spec, pod, container, environment };
}

const JOBS = ["bench-job.yaml", "merge-job.yaml"];
const bench = () => jobOf(read("bench-job.yaml"));
const merge = () => jobOf(read("merge-job.yaml"));

/** Calls of a job's container, given the variables that the cluster adds; its volume is a folder named `results`. */
function callsOf(
  { container, environment }: ReturnType<typeof jobOf>,
  added: Readonly<Record<string, string>> = {},
) {
  const [shell = "", ...options] = container.command ?? [];
  const script = expandReferences((container.args ?? []).join(""), environment).replaceAll(
    "/results",
    "results",
  );
  const folders = [`results/${environment.RUN}`];
  const run = runScript(script, { shell: [shell, ...options], env: { ...environment, ...added }, folders });
  expect([run.status, run.stderr]).toEqual([0, ""]);
  return regionlabCalls(run.calls);
}

/**
 * Expands a command as the kubelet does before the shell: `$(NAME)` becomes the variable, if there is one; `$$` a `$`
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
 */
function expandReferences(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) =>
    name === undefined ? "$" : (variables[name] ?? whole),
  );
}

describe("manifests", () => {
  it.each(JOBS)("%s is a job by Kubernetes' schema", (name) => {
    expect(() => jobOf(read(name))).not.toThrow();
  });

  it.each([
    ["an unknown mode", "completionMode: Indexed", "completionMode: Index"],
    ["an invalid count", "completions: 4", "completions: four"],
    ["a container without a name", "- name: bench\n          image", "- image"],
    ["a rule without an action", "- action: FailJob\n        onExitCodes", "- onExitCodes"],
  ])("with %s is refused", (_, text, replacement) => {
    const broken = read("bench-job.yaml").replace(text, replacement);
    expect(broken).not.toBe(read("bench-job.yaml"));
    expect(() => jobOf(broken)).toThrow();
  });

  it.each([
    ...JOBS.map((name) => [name, "kubernetes-models/batch/v1", "IJob"] as const),
    ["results-volume.yaml", "kubernetes-models/v1", "IPersistentVolumeClaim"] as const,
  ])("%s has only fields that Kubernetes knows", (name, module, type) => {
    expect(complaintsOf(parse(read(name)), module, type)).toEqual([]);
  });

  it("with a misspelt field are refused", () => {
    const broken = read("bench-job.yaml").replace("backoffLimitPerIndex", "backofLimitPerIndex");
    expect(complaintsOf(parse(broken), "kubernetes-models/batch/v1", "IJob").join()).toMatch(
      /"backofLimitPerIndex"' does not exist in type 'IJobSpec'/,
    );
  });

  it("claim storage that several nodes can write to, and mount it", () => {
    const manifest: IPersistentVolumeClaim = parse(read("results-volume.yaml"));
    const claim = new PersistentVolumeClaim(manifest);
    claim.validate();
    expect(claim.spec?.accessModes).toEqual(["ReadWriteMany"]);
    for (const { pod, container } of [bench(), merge()]) {
      const volume = pod.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
      expect(volume?.persistentVolumeClaim?.claimName).toBe(claim.metadata?.name);
      expect(container.volumeMounts).toContainEqual({ name: volume?.name, mountPath: "/results" });
    }
  });
});

describe.each(JOBS)("%s", (name) => {
  const { spec, pod, container } = jobOf(read(name));

  it("runs without privileges, on a read-only file system, as the user of the image", () => {
    const dockerfile = readFileSync(join(root, "deploy", "Dockerfile"), "utf8");
    const user = instructionsOf(dockerfile).findLast(({ keyword }) => keyword === "USER")?.words[0];
    expect(`${pod.securityContext?.runAsUser}:${pod.securityContext?.runAsGroup}`).toBe(user);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const writable = container.volumeMounts?.map(({ mountPath }) => mountPath);
    expect(writable?.toSorted()).toEqual(["/results", "/tmp"]);
    expect(container.volumeMounts?.map((mount) => mount.name)).toEqual(
      pod.volumes?.map((volume) => volume.name),
    );
  });

  it("has exclusive processors and a deadline", () => {
    expect(container.resources?.requests).toEqual(container.resources?.limits);
    // The kubelet reserves whole processors only for pods that request whole ones.
    expect(String(container.resources?.limits?.cpu)).toMatch(/^\d+$/);
    expect(spec.activeDeadlineSeconds).toBeGreaterThan(0);
    expect(spec.ttlSecondsAfterFinished).toBeGreaterThan(0);
  });
});

describe("bench-job.yaml", () => {
  const { spec, pod, container, environment } = bench();
  const indexes = Array.from({ length: spec.completions ?? 0 }, (_, index) => index);
  const calls = indexes.map((index) => callsOf(bench(), { JOB_COMPLETION_INDEX: String(index) }));

  it("measures every shard once, all at the same time", () => {
    expect([spec.completionMode, spec.parallelism]).toEqual(["Indexed", spec.completions]);
    expect(environment.SHARDS).toBe(String(spec.completions));
    expect(calls).toEqual(
      indexes.map((index) => [
        [
          "bench",
          "--shard",
          `${index + 1}/${indexes.length}`,
          "-o",
          `results/${environment.RUN}/shard-${index + 1}.json`,
        ],
      ]),
    );
  });

  it("uses commands and options that regionlab has", () => {
    expect((calls[0] ?? []).length).toBe(1);
    expect((calls[0] ?? []).flatMap(unknownWords)).toEqual([]);
  });

  it("keeps each shard on its own node", () => {
    const terms = pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    expect(terms.map(({ topologyKey }) => topologyKey)).toEqual(["kubernetes.io/hostname"]);
    expect(terms[0]?.labelSelector?.matchLabels).toEqual(spec.template.metadata?.labels);
  });

  it("restarts a shard after a failure of its node, and gives up if no shard can succeed", () => {
    // Kubernetes requires these of a job that counts failures per index or has rules for them.
    expect(pod.restartPolicy).toBe("Never");
    expect(spec.backoffLimitPerIndex).toBeGreaterThan(0);
    const [disruption, wrongUse] = spec.podFailurePolicy?.rules ?? [];
    expect(disruption).toEqual({
      action: "Ignore",
      onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
    });
    expect(wrongUse).toEqual({
      action: "FailJob",
      onExitCodes: { containerName: container.name, operator: "In", values: [2] },
    });
  });
});

describe("merge-job.yaml", () => {
  it("merges exactly the files that the shards wrote, and reports them", () => {
    const { spec, environment, container } = bench();
    expect(merge().environment).toEqual(environment);
    expect(merge().container.image).toBe(container.image);
    const shards = Array.from({ length: spec.completions ?? 0 }, (_, index) => `shard-${index + 1}.json`);
    const calls = callsOf(merge());
    expect(calls).toEqual([
      ["results", "merge", ...shards, "-o", "merged.json"],
      ["report", "merged.json", "--format", "html", "-o", "merged.html"],
      ["report", "merged.json"],
    ]);
  });

  it("uses commands and options that regionlab has", () => {
    expect(callsOf(merge()).flatMap(unknownWords)).toEqual([]);
  });
});
