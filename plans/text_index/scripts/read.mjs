import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { TextDecoder } from 'node:util';

// Usage: node read.mjs DOCUMENT TEXT_FILE
const [document, target] = process.argv.slice(2);

const source = decode(await readFile(document));
const kind = extname(document).toLowerCase();
const text = kind === '.md' ? stripMarkdown(source) : kind === '.txt' ? source : stripHtml(source);
await mkdir(dirname(target), { recursive: true });
await writeFile(`${target}.part`, text);
await rename(`${target}.part`, target);
console.log(`${text.length} characters`);

/** UTF-8, and what is not valid UTF-8 as the Western encoding that older files have. */
function decode(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** Code is no prose: it would make every variable a keyword. */
function stripMarkdown(markdown) {
  return markdown
    .replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, ' ')
    .replace(/`[^`\n]*`/g, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>\n]+>/g, ' ');
}

function stripHtml(html) {
  const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
  return html
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&(#x?[\da-f]+|\w+);/gi, (whole, name) => {
      if (!name.startsWith('#')) return entities[name.toLowerCase()] ?? whole;
      const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
    });
}
