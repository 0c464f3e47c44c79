import { findPlaceholders } from '../template/find-placeholders.ts';
import type { TaskClass } from './plan.ts';

const scriptWord = /^(?:whisper|transcrib.*|embed.*|cuda|gpu|torch)$/;
const llmWord = /^(?:llama|ollama|vllm|llm)$/;

/** Guesses the class of a shell task from the words of its command. */
export function inferTaskClass(command: string): TaskClass {
  // The name of an input says nothing about the program that reads it.
  const text = blankPlaceholders(command);
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  if (words.some((word) => scriptWord.test(word))) return 'script';
  if (words.some((word) => llmWord.test(word)) || /\bchat\/completions\b/i.test(text)) return 'llm';
  return 'cpu';
}

function blankPlaceholders(command: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (const { start, end } of findPlaceholders(command)) {
    pieces.push(command.slice(from, start));
    from = end;
  }
  return [...pieces, command.slice(from)].join(' ');
}
