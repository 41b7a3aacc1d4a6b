#pragma once

#include "actors/messages/access_messages.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What travels about predictions; `messages.hpp` includes it.
namespace gnomon {

// -- a client's requests ----------------------------------------------------------------------------------------------

/// Asks what this user will read next. Only the region where the user reads knows that. The router of another node asks
/// the other regions.
struct get_prediction {
  std::string user;
  uint32_t limit = 20;
  bool repeats = false; // also items among the user's last ten reads
  auto fields() {
    return std::tie(user, limit, repeats);
  }
};

struct predicted_item {
  std::string id;
  real confidence;                  // that the user reads it next
  real worth_copying;               // that the user reads it within the next ten reads and six hours
  std::vector<std::string> holders; // nodes that have a copy now
  std::vector<std::string> regions; // that would get one
  auto fields() {
    return std::tie(id, confidence, worth_copying, holders, regions);
  }
};

struct prediction {
  std::string user;
  std::string served_by; // node
  uint64_t model = 0;    // version; 0: nothing was trained yet, the counters answer
  std::vector<predicted_item> items;
  uint32_t repeats_left_out = 0; // guesses that are among the user's last ten reads
  auto fields() {
    return std::tie(user, served_by, model, items, repeats_left_out);
  }
};

/// Forgets everything that was learned from this user's reads: in all regions when a client asks, here when a peer
/// asks.
struct forget_user {
  std::string user;
  asker by = {};
  auto fields() {
    return std::tie(user, by);
  }
};

struct forget_receipt {
  std::string user;
  uint32_t regions = 0; // that knew the user
  auto fields() {
    return std::tie(user, regions);
  }
};

/// One user's reads of an item that an application has answered from a cache of its own.
struct read_report {
  std::string id;
  std::string user;
  uint32_t count = 1;
  auto fields() {
    return std::tie(id, user, count);
  }
};

struct report_reads {
  std::vector<read_report> reads;
  auto fields() {
    return std::tie(reads);
  }
};

struct reads_receipt {
  uint64_t reads = 0; // that were passed on
  auto fields() {
    return std::tie(reads);
  }
};

// -- training ---------------------------------------------------------------------------------------------------------

/// A piece of the accesses to train with: text in the format of POST /prefetch/train, cut anywhere. `job` is 0 in the
/// first piece, and then as answered. `number` counts from 0. The training begins after the `last` piece.
struct train_piece {
  uint64_t job = 0;
  uint32_t number = 0;
  blob text;
  bool last = true;
  asker by = {};
  auto fields() {
    return std::tie(job, number, text, last, by);
  }
};

struct get_training {
  uint64_t job = 0;
  auto fields() {
    return std::tie(job);
  }
};

/// Asks for the jobs that the node remembers.
struct list_trainings {
  auto fields() {
    return std::tie();
  }
};

/// `adopted`: models that did better are in service. `kept`: none did better, and the running ones stay.
enum class training_phase : uint8_t { receiving, training, adopted, kept, failed };
std::string_view name(training_phase phase);

/// A line that is no access, counted from 1.
struct line_complaint {
  uint64_t line = 0;
  std::string reason;
  auto fields() {
    return std::tie(line, reason);
  }
};

/// The quality of a user model on accesses held back from training; `predictions` 0: not measured.
struct model_figures {
  real recall_20;          // share of next accesses among the first 20 guesses
  real mrr_20;             // mean of 1 / rank, 0 beyond 20
  real counting_recall_20; // of the best counting method alone
  uint64_t predictions = 0;
  auto fields() {
    return std::tie(recall_20, mrr_20, counting_recall_20, predictions);
  }
};

/// The quality of a demand model on decisions held back from training; `decisions` 0: not measured.
struct demand_figures {
  real log_loss; // mean negative log-likelihood of what happened within a day, in nats
  real calibration_error;
  uint64_t decisions = 0;
  std::string kind;                      // what estimates: "network", "trees" or "formula"
  real network_log_loss, trees_log_loss; // of both kinds on other decisions held back: the lower one serves
  auto fields() {
    return std::tie(log_loss, calibration_error, decisions, kind, network_log_loss, trees_log_loss);
  }
};

/// The state of a training job.
struct training_status {
  uint64_t job = 0;
  training_phase phase = training_phase::receiving;
  uint64_t lines = 0;
  uint64_t accesses = 0; // to learn from
  uint64_t bad_lines = 0;
  uint64_t left_out = 0;                  // good lines that are older than `prediction.train_accesses` others
  uint64_t withheld = 0;                  // good lines that are not learned because of a policy or a forgotten user
  uint64_t learned = 0;                   // that counters and histories learned from, whatever becomes of the networks
  std::vector<line_complaint> complaints; // of the first bad lines
  real progress;                          // 0 to 1
  real seconds_left;
  real events_per_second; // of the network's training
  model_figures users, running_users;
  demand_figures demand, running_demand;
  bool better_users = false, better_demand = false;
  uint64_t model = 0; // version that was put into service
  std::string reason; // why it failed or changed nothing
  auto fields() {
    return std::tie(job, phase, lines, accesses, bad_lines, left_out, withheld, learned, complaints, progress,
                    seconds_left, events_per_second, users, running_users, demand, running_demand, better_users,
                    better_demand, model, reason);
  }
};

struct training_list {
  std::vector<training_status> jobs; // the newest first
  auto fields() {
    return std::tie(jobs);
  }
};

// -- between nodes ----------------------------------------------------------------------------------------------------

/// How often an item was read and written in one region since the last report.
struct item_accesses {
  std::string id;
  uint32_t reads = 0;
  uint32_t writes = 0;
  timestamp last{};
  auto fields() {
    return std::tie(id, reads, writes, last);
  }
};

/// What a region's readers did lately, without their names. The demand models of the other regions learn from it.
struct region_accesses {
  std::string region;
  std::vector<item_accesses> items;
  auto fields() {
    return std::tie(region, items);
  }
};

struct accesses_ack {
  auto fields() {
    return std::tie();
  }
};

// -- inside a node ----------------------------------------------------------------------------------------------------

struct past_access {
  std::string user, item, region;
  uint32_t time = 0; // seconds since 1970
  auto fields() {
    return std::tie(user, item, region, time);
  }
};

/// Reads of an upload, the oldest first. Counters and histories learn from them. After each read from `rehearse_from`
/// on, the model makes a prediction and compares it with what follows. That calibrates the probabilities.
struct past_accesses {
  std::vector<past_access> reads;
  uint32_t rehearse_from = 0;
  bool last = true;
  auto fields() {
    return std::tie(reads, rehearse_from, last);
  }
};

struct past_receipt {
  uint64_t counted = 0;
  uint64_t withheld = 0; // a policy or a forgotten user keeps them from being learned
  auto fields() {
    return std::tie(counted, withheld);
  }
};

/// A piece of the file that keeps what was learned. `number` counts from 0. The `last` piece puts the file in place of
/// the old one.
struct state_piece {
  uint32_t number = 0;
  blob text;
  bool last = false;
  auto fields() {
    return std::tie(number, text, last);
  }
};

/// Says with which probability a copy of `id` in this region would be read while its lease runs.
struct prefetch_wish {
  std::string id;
  real confidence;
  auto fields() {
    return std::tie(id, confidence);
  }
};

struct prefetch_wishes {
  std::vector<prefetch_wish> wishes;
  auto fields() {
    return std::tie(wishes);
  }
};

} // namespace gnomon
