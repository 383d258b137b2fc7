#pragma once

// The bytes of a file, put between the names NAME and NAME_end by the assembler: no compiler takes
// long to read them. `name` is a word, `file` a string literal. To be used once for a name, outside
// of namespaces.
#define FACEGATE_EMBED_FILE(name, file)                                 \
  __asm__(                                                              \
      ".pushsection .rodata\n"                                          \
      ".balign 16\n" #name                                              \
      ":\n"                                                             \
      ".incbin \"" file "\"\n" #name                                    \
      "_end:\n"                                                         \
      ".byte 0\n"                                                       \
      ".popsection\n");                                                 \
  extern "C" {                                                          \
  /* NOLINTNEXTLINE(bugprone-macro-parentheses): a name is declared */  \
  extern const char name[] __attribute__((visibility("hidden")));       \
  extern const char name##_end[] __attribute__((visibility("hidden"))); \
  }
