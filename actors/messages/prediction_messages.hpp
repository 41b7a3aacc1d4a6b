#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/inspect.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What travels about predictions; `messages.hpp` includes it.
namespace gnomon {

// -- a client's requests ----------------------------------------------------------------------------------------------

/// What will this user read next? Only the region where the user reads knows; the router of a node that does not asks
/// the others.
struct get_prediction {
  std::string user;
  uint32_t limit = 20;
  bool repeats = false; // also what is among the user's last ten reads
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

/// Forget all that was learned from this user's reads: in all regions when a client asks, here when a peer does.
struct forget_user {
  std::string user;
  auto fields() {
    return std::tie(user);
  }
};

struct forget_receipt {
  std::string user;
  uint32_t regions = 0; // that knew the user
  auto fields() {
    return std::tie(user, regions);
  }
};

// -- training ---------------------------------------------------------------------------------------------------------

/// A piece of the accesses to train with: text as POST /prefetch/train takes it, cut anywhere. `job` is 0 in the first
/// piece and then as answered; `number` counts from 0. The training begins after the `last` one.
struct train_piece {
  uint64_t job = 0;
  uint32_t number = 0;
  blob text;
  bool last = true;
  auto fields() {
    return std::tie(job, number, text, last);
  }
};

struct get_training {
  uint64_t job = 0;
  auto fields() {
    return std::tie(job);
  }
};

/// `adopted`: models that came out better are in service. `kept`: none did, the running ones stay.
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

/// How well a user model did on held-back accesses; `predictions` 0: not measured.
struct model_figures {
  real recall_20;          // share of next accesses among the first 20 guesses
  real mrr_20;             // mean of 1 / rank, 0 beyond 20
  real counting_recall_20; // of the best counting method alone
  uint64_t predictions = 0;
  auto fields() {
    return std::tie(recall_20, mrr_20, counting_recall_20, predictions);
  }
};

/// How well a demand model did on held-back decisions; `decisions` 0: not measured.
struct demand_figures {
  real loss; // mean negative log-likelihood of what happened within a day, in nats
  real calibration_error;
  uint64_t decisions = 0;
  auto fields() {
    return std::tie(loss, calibration_error, decisions);
  }
};

/// Where a training job stands.
struct training_status {
  uint64_t job = 0;
  training_phase phase = training_phase::receiving;
  uint64_t lines = 0;
  uint64_t accesses = 0; // to learn from
  uint64_t bad_lines = 0;
  uint64_t left_out = 0;                  // good ones that were older than `prediction.train_accesses` others
  uint64_t withheld = 0;                  // good ones that a policy or a forgotten user keeps from being learned
  uint64_t counted = 0;                   // that counters and histories have learned from, whatever becomes of networks
  std::vector<line_complaint> complaints; // of the first bad lines
  real share;                             // of the work done, 0 to 1
  real seconds_left;
  real events_per_second; // of the network's training
  model_figures users, running_users;
  demand_figures demand, running_demand;
  bool better_users = false, better_demand = false;
  uint64_t model = 0; // version that was put into service
  std::string reason; // why it failed, or changed nothing
  auto fields() {
    return std::tie(job, phase, lines, accesses, bad_lines, left_out, withheld, counted, complaints, share,
                    seconds_left, events_per_second, users, running_users, demand, running_demand, better_users,
                    better_demand, model, reason);
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

/// What a region's readers did lately, without who they are: the others' demand models learn from it.
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

/// Reads of an upload, the oldest first: counters and histories learn from them. After those from `rehearse_from` on,
/// what would have been guessed is held against what follows, for the probabilities to mean something.
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

/// A piece of the file that keeps what was learned; `number` counts from 0. The `last` one puts it in its place.
struct state_piece {
  uint32_t number = 0;
  blob text;
  bool last = false;
  auto fields() {
    return std::tie(number, text, last);
  }
};

/// A copy of `id` in this region would be read with that probability while its lease runs.
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
