/**
 * A pattern of op_names_re as JavaScript: anchored at the start only, like Python's `re.match`.
 *
 * The flag u makes what only Python understands (`\Z`, `(?P<n>…)`) an error instead of another meaning.
 * Throws SyntaxError.
 */
export function namePattern(pattern: string): RegExp {
  new RegExp(pattern, "u"); // by itself first: "a)|(b" must not become valid inside the group
  return new RegExp(`^(?:${pattern})`, "u");
}
