/**
 * What the page's script uses of a browser. The compiler's own types of it would make `document` and the like known
 * everywhere in the project, where there is no browser.
 */
export interface PageElement {
  textContent: string | null;
  className: string;
  id: string;
  hidden: boolean;
  value: string;
  checked: boolean;
  readonly tagName: string;
  readonly type: string;
  readonly files: ArrayLike<{ text(): Promise<string> }> | null;
  readonly open: boolean;
  append(...parts: readonly (PageElement | string)[]): void;
  replaceChildren(...parts: readonly (PageElement | string)[]): void;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  querySelectorAll(selector: string): Iterable<PageElement>;
  focus(options?: { readonly preventScroll?: boolean }): void;
  blur(): void;
  click(): void;
  remove(): void;
  scrollIntoView(options?: { readonly block?: "nearest" | "start" }): void;
  showModal(): void;
  close(): void;
}

export interface PageEvent {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly target: unknown;
  preventDefault(): void;
}

export interface PageDocument {
  readonly body: PageElement;
  readonly activeElement: PageElement | null;
  createElement(tag: string): PageElement;
  getElementById(id: string): PageElement | null;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
}

export interface PageWindow {
  readonly localStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void };
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly Blob: new (parts: readonly string[], options: { readonly type: string }) => object;
  readonly Date: new () => { toISOString(): string };
  setTimeout(work: () => void, milliseconds: number): unknown;
  scrollTo(x: number, y: number): void;
}
