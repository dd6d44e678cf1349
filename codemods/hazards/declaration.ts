/** Hazards in how a region field is declared. */
import { Node } from "ts-morph";
import type { Refusal, RegionField } from "../regions/facts.ts";
import { Reason } from "../regions/reasons.ts";
import { hasLinesOfItsOwn } from "../source/trivia.ts";

export function staticField({ declaration }: RegionField): Refusal | undefined {
  if (!declaration.isStatic()) return undefined;
  return { reason: Reason.StaticField, node: declaration, detail: declaration.getText() };
}

export function fieldForm({ declaration, name, nullable }: RegionField): Refusal | undefined {
  const strange =
    declaration.getDecorators().length > 0 ||
    declaration.hasAccessorKeyword() ||
    declaration.hasDeclareKeyword() ||
    (declaration.hasQuestionToken() && !nullable) ||
    Node.isComputedPropertyName(declaration.getNameNode()) ||
    !hasLinesOfItsOwn(declaration);
  return strange ? { reason: Reason.FieldForm, node: declaration, detail: name } : undefined;
}

export const declarationHazards = [staticField, fieldForm];
