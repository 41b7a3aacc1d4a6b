#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// From a line or argv to a command's arguments. Pure.
namespace gnomon::shell {

/// The user typed something invalid: exit status 2. `what()` is a sentence.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Splits as a POSIX shell would: blanks separate words; '...' keeps everything; a backslash keeps the next character,
/// and joins a line with the next one. Inside "..." \n, \t, \r and \xNN (two hexadecimal digits) are what they are in
/// C, and \" and \\ the character itself; other backslashes stay. Throws usage_error for a quote that does not end.
std::vector<std::string> split_words(std::string_view line);

/// True when the line ends inside quotes or with a backslash: what follows it belongs to it.
bool goes_on(std::string_view line);

/// `word` in a form that split_words reads back as one word, without control characters.
std::string quote_word(std::string_view word);

/// An option of a command: `--acks N` takes a value, `--json` does not.
struct option_spec {
  std::string name;        // with its dashes
  std::string placeholder; // of its value; empty: takes none
  std::string help;
  bool many = false; // may be given again; the values are then joined with commas
};

struct arguments {
  std::vector<std::string> positional;
  std::map<std::string, std::string> options; // by name; the value is empty for one that takes none

  bool has(const std::string& option) const {
    return options.count(option) != 0;
  }
  std::string get(const std::string& option, std::string fallback = {}) const;
};

/// Options may stand anywhere, as `--name value` or `--name=value`; `--` ends them; `-` alone is positional.
/// Throws usage_error for an unknown option, a missing or unexpected value, or an option given twice that is not for
/// many.
arguments parse_arguments(const std::vector<std::string>& words, const std::vector<option_spec>& specs);

/// Numbers as people type them; throw usage_error naming `what` and the bounds.
uint64_t parse_count(const std::string& text, const std::string& what, uint64_t least, uint64_t most);
double parse_real(const std::string& text, const std::string& what, double least, double most);

} // namespace gnomon::shell
