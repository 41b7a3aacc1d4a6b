#pragma once

#include "actors/messages/protocol.hpp"
#include "actors/node/forgotten_users.hpp"
#include "actors/node/settings.hpp"
#include "learning/user/user_model.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// What the predictor has learned, as it is read from a file.
struct learned_state {
  std::unique_ptr<learning::user_model> users;
  learning::calibrator worth{5000};
  std::vector<std::string> regions; // by their number in the user model
  forgotten_users forgotten;
};

/// The first piece of the file; those of the user model follow.
std::string state_head(const learned_state& state);

/// The file DATA_DIR/learned; empty where nothing is kept.
std::string state_file_of(const settings& config);
/// Removes the file. Where nothing is learned, a request to forget a user could not be fulfilled, so nothing is kept.
void drop_state(const settings& config);

/// Writes and reads one file; detached outside of tests, since it blocks.
class state_file_state {
public:
  state_file_state() = default;
  ~state_file_state();
  const char* name = "state file";

  void start(std::string file, const learning::user_model_config& config, std::shared_ptr<learned_state> found);
  expected<uint64_t> read();
  expected<uint64_t> write(const state_piece& piece);
  expected<uint64_t> remove();

private:
  std::string fresh() const {
    return file_ + ".new";
  }
  caf::error failed(const std::string& what);

  std::string file_;
  learning::user_model_config config_;
  std::shared_ptr<learned_state> found_;
  int descriptor_ = -1;
  uint32_t next_ = 0;
  uint64_t bytes_ = 0;
};

/// `found` gets the content of the file before the answer to `open_a`.
state_file_actor::behavior_type state_file(state_file_actor::stateful_pointer<state_file_state> self, std::string file,
                                           learning::user_model_config config, std::shared_ptr<learned_state> found);

} // namespace gnomon
