import fc from 'fast-check';

/** Names that generated functions declare and use. */
export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

const name = fc.constantFrom(...NAMES);

/** Sources of functions over `NAMES`, with every construct that declares or uses names. Not all of them are valid. */
const { fn } = fc.letrec((rule) => {
  const tie = (name: string): fc.Arbitrary<string> => rule(name) as fc.Arbitrary<string>;
  const expression = tie('expression');
  const pattern = tie('pattern');
  const body = fc.array(tie('statement'), { maxLength: 3 }).map((statements) => `{ ${statements.join(' ')} }`);
  const write = (parts: TemplateStringsArray, ...holes: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...holes).map((texts) => parts.reduce((all, part, at) => `${all}${part}${texts[at] ?? ''}`, ''));
  const params = fc
    .array(fc.oneof(pattern, write`${pattern} = ${expression}`), { maxLength: 2 })
    .map((list) => list.join(', '));
  return {
    pattern: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      name,
      write`{ ${name} }`,
      write`{ ${name}: ${pattern}, ...${name} }`,
      write`{ [${expression}]: ${name} = ${expression} }`,
      write`[${pattern}, , ...${name}]`,
    ),
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      name,
      fc.constantFrom('1', "'a'", '/a/g', 'null'),
      write`${name}.${name}`,
      write`${name}?.[${expression}]`,
      write`(${expression} + ${expression})`,
      write`{ ${name}, ${name}: ${expression}, [${expression}]: 1, ${name}(${params}) ${body} }`.map(
        (text) => `(${text})`,
      ),
      write`\`x\${${expression}}\``,
      write`typeof ${name}`,
      write`[...${name}, ${expression}]`,
      tie('fn').map((text) => `(${text})`),
      write`(class ${name} extends ${name} { ${name} = ${expression}; #p = ${name}; ${name}() ${body} [${name}] = 1; static ${body} get ${name}() ${body} })`,
    ),
    statement: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      write`${expression};`,
      write`const ${pattern} = ${expression};`,
      write`let ${name} = ${expression};`,
      write`var ${pattern} = ${expression};`,
      write`function ${name}(${params}) ${body}`,
      write`class ${name} { static ${name} = ${expression} }`,
      write`if (${expression}) ${body} else ${body}`,
      write`for (let ${name} = ${expression}; ${expression}; ) ${body}`,
      write`for (const ${pattern} of ${expression}) ${body}`,
      write`for (var ${name} in ${expression}) ${body}`,
      write`try ${body} catch (${pattern}) ${body} finally ${body}`,
      write`switch (${expression}) { case ${expression}: let ${name} = ${expression}; default: ${expression}; }`,
      write`${name}: for (;;) { continue ${name}; }`,
      body,
    ),
    fn: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      write`(${params}) => ${expression}`,
      write`async (${params}) => ${body}`,
      write`function ${name}(${params}) ${body}`,
      write`function (${params}) ${body}`,
    ),
  };
});

export const generatedFunction: fc.Arbitrary<string> = fn as fc.Arbitrary<string>;
