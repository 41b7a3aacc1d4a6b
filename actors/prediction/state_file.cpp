#include "actors/prediction/state_file.hpp"

#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gnomon {

namespace {

constexpr uint32_t head_version = 1;

/// A new name in a directory is on disk once the directory is.
bool sync_directory(const std::string& file) {
  const int fd = ::open(file.substr(0, file.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0)
    ::close(fd);
  return good;
}

/// The whole file; empty when there is none.
expected<std::string> text_of(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return std::string{};
  struct stat facts {};
  std::string text;
  ssize_t got = fd < 0 || ::fstat(fd, &facts) != 0 ? -1 : 0;
  if (got == 0)
    text.resize(static_cast<size_t>(facts.st_size));
  size_t have = 0;
  while (got >= 0 && have < text.size() && (got = ::read(fd, text.data() + have, text.size() - have)) > 0)
    have += static_cast<size_t>(got);
  const auto problem = errno;
  if (fd >= 0)
    ::close(fd);
  if (got < 0)
    return make_error(ec::store_failed, fmt::format("{} cannot be read: {}", file, std::strerror(problem)));
  text.resize(have);
  return text;
}

caf::error load_state(std::string_view text, const learning::user_model_config& config, learned_state& into) {
  auto head = learning::unseal_next(text, learning::model_kind::predictor_state, head_version, head_version);
  if (!head)
    return head.error();
  learned_state found;
  learning::reader in{*head};
  found.worth.load(in);
  uint64_t regions = 0;
  in.get(regions);
  for (std::string region; in.good() && found.regions.size() < regions;) {
    in.get(region);
    found.regions.push_back(region);
  }
  found.forgotten.load(in);
  if (!in.good() || !in.at_end())
    return make_error(ec::bad_message, "the state of the predictor does not have the shape this program expects");
  found.users = std::make_unique<learning::user_model>(config);
  if (auto problem = found.users->restore(text))
    return problem;
  into = std::move(found);
  return {};
}

} // namespace

std::string state_head(const learned_state& state) {
  learning::writer out;
  state.worth.save(out);
  out.put(static_cast<uint64_t>(state.regions.size()));
  for (const auto& region : state.regions)
    out.put(std::string_view{region});
  state.forgotten.save(out);
  return learning::seal(learning::model_kind::predictor_state, head_version, out.take());
}

std::string state_file_of(const settings& config) {
  return config.store_path.empty() ? std::string{} : config.store_path + "/learned";
}

void drop_state(const settings& config) {
  if (auto file = state_file_of(config); !file.empty() && ::unlink(file.c_str()) == 0)
    log::info("predictor", "state-removed", {{"file", file}, {"reason", "prediction.enabled is false"}});
}

state_file_actor::behavior_type state_file(state_file_actor::stateful_pointer<state_file_state> self, std::string file,
                                           learning::user_model_config config, std::shared_ptr<learned_state> found) {
  auto& state = self->state;
  state.start(std::move(file), config, std::move(found));
  auto answer = [](expected<uint64_t> done) -> caf::result<uint64_t> {
    if (!done)
      return std::move(done.error());
    return *done;
  };
  return {
      [=, &state](open_a) { return answer(state.read()); },
      [=, &state](const state_piece& piece) { return answer(state.write(piece)); },
      [=, &state](reap_a) { return answer(state.remove()); },
  };
}

void state_file_state::start(std::string file, const learning::user_model_config& config,
                             std::shared_ptr<learned_state> found) {
  file_ = std::move(file);
  config_ = config;
  found_ = std::move(found);
}

state_file_state::~state_file_state() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

expected<uint64_t> state_file_state::read() {
  auto text = text_of(file_);
  if (!text)
    return text.error();
  if (text->empty() && ::access(file_.c_str(), F_OK) != 0)
    return 0;
  if (auto problem = load_state(*text, config_, *found_))
    return problem;
  return text->size();
}

expected<uint64_t> state_file_state::write(const state_piece& piece) {
  if (piece.number == 0) {
    if (descriptor_ >= 0)
      ::close(descriptor_);
    descriptor_ = ::open(fresh().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    next_ = 0;
    bytes_ = 0;
  }
  if (descriptor_ < 0 || piece.number != next_++)
    return failed("opened");
  for (std::string_view rest = piece.text.view(); !rest.empty();) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written <= 0)
      return failed("written");
    rest.remove_prefix(static_cast<size_t>(written));
    bytes_ += static_cast<uint64_t>(written);
  }
  if (!piece.last)
    return bytes_;
  if (::fsync(descriptor_) != 0 || ::rename(fresh().c_str(), file_.c_str()) != 0 || !sync_directory(file_))
    return failed("put in its place");
  ::close(std::exchange(descriptor_, -1));
  return bytes_;
}

/// Half a file is of no use to anybody.
caf::error state_file_state::failed(const std::string& what) {
  auto problem = make_error(ec::store_failed, fmt::format("{} cannot be {}: {}", fresh(), what, std::strerror(errno)));
  if (descriptor_ >= 0)
    ::close(std::exchange(descriptor_, -1));
  ::unlink(fresh().c_str());
  return problem;
}

expected<uint64_t> state_file_state::remove() {
  if (descriptor_ >= 0)
    ::close(std::exchange(descriptor_, -1));
  for (const auto& file : {file_, fresh()})
    if (::unlink(file.c_str()) != 0 && errno != ENOENT && errno != EISDIR)
      return make_error(ec::store_failed, fmt::format("{} cannot be removed: {}", file, std::strerror(errno)));
  return 0;
}

} // namespace gnomon
