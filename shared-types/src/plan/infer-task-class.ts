import { findPlaceholders } from '../template/find-placeholders.ts';
import type { TaskClass } from './plan.ts';

const scriptWord = /^(?:whisper|transcrib.*|embed.*|cuda|gpu|torch)$/;
const llmWord = /^(?:llama|ollama|vllm|llm)$/;

/** Guesses the class of a shell task from the words of its command. */
export function inferTaskClass(command: string): TaskClass {
  let text = command;
  // The name of an input says nothing about the program that reads it.
  for (const placeholder of findPlaceholders(command).reverse()) {
    text = `${text.slice(0, placeholder.start)} ${text.slice(placeholder.end)}`;
  }
  const words = text.toLowerCase().match(/[a-z]+/g) ?? [];
  if (words.some((word) => scriptWord.test(word))) return 'script';
  if (words.some((word) => llmWord.test(word)) || /\bchat\/completions\b/i.test(text)) return 'llm';
  return 'cpu';
}
