/** Text as HTML that shows it. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** The little Markdown of the descriptions: paragraphs, bullets, `code` and **bold**. */
export function renderProse(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((block) => {
      if (!block.startsWith('- ')) return `<p>${renderInline(block)}</p>`;
      const items = block.split(/\n(?=- )/).map((line) => `<li>${renderInline(line.slice(2))}</li>`);
      return `<ul>${items.join('')}</ul>`;
    })
    .join('');
}

export function renderInline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>');
}

export function renderCode(text: string): string {
  return `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>`;
}
