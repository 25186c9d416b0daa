// The front end's rules: what eslint recommends, files of 400 lines, functions of 50.
import js from "@eslint/js";
import globals from "globals";

const SIZES = { "max-lines": ["error", 400], "max-lines-per-function": ["error", 50] };

export default [
  { ignores: ["_build/", "node_modules/", "build/", ".venv/"] },
  js.configs.recommended,
  {
    files: ["kubemini/widgets/static/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: SIZES,
  },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.node } },
];
