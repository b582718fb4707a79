import prettier from 'eslint-config-prettier'
import tseslint from 'typescript-eslint'

/** Fetch and wall clocks have one door each: http/ and core/clock.ts. */
const oneDoor = {
  'no-restricted-globals': [
    'error',
    { name: 'fetch', message: 'The only way out to the network is the guarded client in http/.' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Ask the injected clock (core/clock.ts).' },
    {
      object: 'process',
      property: 'env',
      message: 'Only main.ts and config/ read the environment.',
    },
  ],
  'no-console': 'error',
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'data/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.cjs'] } },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // Services are closures: nothing handed around here has a `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['src/**/*.ts'], rules: oneDoor },
  { files: ['src/core/clock.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['src/main.ts', 'src/config/**'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['**/*.js', '**/*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
)
