#include "runtime/shell/editor.hpp"

#include "runtime/base/printable.hpp"

#include <histedit.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace gnomon::shell {

namespace {

constexpr int most_history = 1000;

volatile std::sig_atomic_t seen_interrupt = 0;

void note_interrupt(int) {
  seen_interrupt = 1;
}

/// Without SA_RESTART, so that the read under way ends.
class sigint_scope {
public:
  sigint_scope() {
    seen_interrupt = 0;
    struct sigaction action {};
    action.sa_handler = note_interrupt;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &before_);
  }
  ~sigint_scope() {
    ::sigaction(SIGINT, &before_, nullptr);
  }

private:
  struct sigaction before_ {};
};

} // namespace

struct editor::impl {
  impl(std::string file, completion_sources s) : history_file(std::move(file)), sources(std::move(s)) {}

  static impl& of(EditLine* line) {
    void* self = nullptr;
    el_get(line, EL_CLIENTDATA, &self);
    return *static_cast<impl*>(self);
  }

  static char* show_prompt(EditLine* line) {
    return of(line).prompt.data();
  }

  static unsigned char tab(EditLine* line, int) {
    return of(line).complete_word();
  }

  unsigned char complete_word() {
    auto info = el_line(line);
    std::string_view all{info->buffer, static_cast<size_t>(info->lastchar - info->buffer)};
    auto cursor = static_cast<size_t>(info->cursor - info->buffer);
    auto end = word_end(all, cursor); // a word is completed as a whole, wherever in it the cursor is
    el_cursor(line, static_cast<int>(columns(all.substr(cursor, end - cursor))));
    auto typed = all.substr(0, end);
    completions found;
    try {
      found = complete(typed, sources);
    } catch (const std::exception&) {
      return CC_REFRESH_BEEP; // an unclosed quote, or no node
    }
    if (found.candidates.empty())
      return CC_REFRESH_BEEP;
    auto word = common_prefix(found.candidates);
    auto have = typed.size() - found.begin;
    auto single = found.candidates.size() == 1;
    auto open = word.ends_with('/') || (word.size() > 1 && word[0] == '"' && !word.ends_with('"'));
    if (single && !open && end == all.size())
      word += ' ';
    if ((word.size() > have || single) && printable(word) == word) {
      el_deletestr(line, static_cast<int>(columns(typed.substr(found.begin))));
      el_insertstr(line, word.c_str());
      return CC_REFRESH;
    }
    std::printf("\n");
    for (auto& c : found.candidates)
      std::printf("%s  ", printable(c).c_str());
    std::printf("\n");
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  std::string prompt;
  std::string history_file;
  completion_sources sources;
  EditLine* line = nullptr;
  History* history = nullptr;
};

editor::editor(std::string history_file, completion_sources sources)
    : impl_(std::make_unique<impl>(std::move(history_file), std::move(sources))) {
  std::setlocale(LC_CTYPE, ""); // for what is typed beyond ASCII
  HistEvent event;
  impl_->history = history_init();
  ::history(impl_->history, &event, H_SETSIZE, most_history);
  ::history(impl_->history, &event, H_SETUNIQUE, 1);
  if (!impl_->history_file.empty())
    ::history(impl_->history, &event, H_LOAD, impl_->history_file.c_str());
  impl_->line = el_init("gnomon", stdin, stdout, stderr);
  el_set(impl_->line, EL_CLIENTDATA, impl_.get());
  el_set(impl_->line, EL_PROMPT, &impl::show_prompt);
  el_set(impl_->line, EL_EDITOR, "emacs");
  el_set(impl_->line, EL_HIST, ::history, impl_->history);
  el_set(impl_->line, EL_ADDFN, "gnomon-complete", "complete the word", &impl::tab);
  el_set(impl_->line, EL_BIND, "^I", "gnomon-complete", nullptr);
  el_set(impl_->line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(impl_->line, nullptr); // the user's ~/.editrc
}

editor::~editor() {
  el_end(impl_->line);
  history_end(impl_->history);
}

std::optional<std::string> editor::read(const std::string& prompt) {
  impl_->prompt = prompt;
  sigint_scope scope;
  interrupted_ = false;
  int count = 0;
  auto text = el_gets(impl_->line, &count);
  if (seen_interrupt) {
    std::printf("\n");
    el_reset(impl_->line);
    interrupted_ = true;
    return std::string{};
  }
  if (!text || count <= 0) {
    std::printf("\n");
    return std::nullopt;
  }
  std::string result(text, static_cast<size_t>(count));
  while (result.ends_with('\n') || result.ends_with('\r'))
    result.pop_back();
  return result;
}

void editor::remember(const std::string& line) {
  HistEvent event;
  ::history(impl_->history, &event, H_ENTER, (line + "\n").c_str());
  if (impl_->history_file.empty())
    return;
  // What was typed may be private. A history that cannot be kept is no reason to stop.
  auto mask = ::umask(0077);
  ::history(impl_->history, &event, H_SAVE, impl_->history_file.c_str());
  ::umask(mask);
}

std::string default_history_file() {
  if (auto state = std::getenv("XDG_STATE_HOME"); state && *state == '/') {
    auto folder = std::filesystem::path{state} / "gnomon";
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    return folder / "history";
  }
  auto home = std::getenv("HOME");
  return home && *home ? std::string{home} + "/.gnomon_history" : std::string{};
}

} // namespace gnomon::shell
