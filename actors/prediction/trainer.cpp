#include "actors/prediction/trainer.hpp"

#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace gnomon {

namespace {

constexpr std::string_view models_prefix = "gnomon.models/";
constexpr size_t versions_kept = 3;
constexpr size_t jobs_remembered = 16;
constexpr uint64_t fewest_new = 5000; // accesses since the last training on what was seen
constexpr auto upload_timeout = 60s;
constexpr auto look_elsewhere_every = 15s;
const std::string index_key = keys::meta("models/index");

std::string version_key(uint64_t version) {
  return keys::meta(fmt::format("models/{:020}", version));
}

std::vector<uint64_t> parse_index(const std::string& text) {
  std::istringstream in{text};
  std::vector<uint64_t> versions;
  for (uint64_t version = 0; versions.size() < versions_kept && in >> version;)
    versions.push_back(version);
  return versions;
}

} // namespace

std::string models_item(std::string_view region) {
  return std::string{models_prefix}.append(region);
}

bool is_models_item(std::string_view id) {
  return id.starts_with(models_prefix);
}

trainer_actor::behavior_type trainer(trainer_actor::stateful_pointer<trainer_state> self, context_ptr node) {
  auto& state = self->state;
  state.start(self, std::move(node));
  return {
      [&](const train_piece& piece) { return state.receive(piece); },
      [&](const get_training& request) { return state.status(request.job); },
      [&](const list_trainings&) { return state.jobs(); },
      [&](const access_batch& batch) { state.learn(batch); },
      [&](const region_accesses& report) { state.learn(report); },
      [&](const forget_user& request) { state.forget(request.user); },
      [&](tick_a) { state.look(); },
      [&](refresh_a) { state.refresh(); },
  };
}

trainer_state::~trainer_state() {
  if (job_)
    job_->stop("the trainer was stopped; train again");
  if (worker_)
    caf::anon_send_exit(worker_, caf::exit_reason::user_shutdown);
}

void trainer_state::start(self_pointer self, context_ptr node) {
  self_ = self;
  node_ = std::move(node);
  memory_ = {node_->memory, memory_part::prediction};
  history_ = learning::access_history{node_->config.train_accesses};
  last_training_ = self_->clock().now();
  self_->set_down_handler([this](const caf::down_msg& down) {
    if (!worker_ || down.source != worker_.address())
      return; // of a job before this one
    worker_ = nullptr;
    if (busy())
      job_->fail("the training ended unexpectedly; the log of the node says why");
    settle();
  });
  self_->send(self_, refresh_a_v);
}

/// Runs again and again, because the trainer sends itself this message. At its first run the node's other actors are
/// known.
void trainer_state::refresh() {
  if (!std::exchange(begun_, true))
    restore();
  look();
  self_->delayed_send(self_, node_->config.collect_every, refresh_a_v);
}

// -- jobs -------------------------------------------------------------------------------------------------------------

caf::result<training_status> trainer_state::receive(const train_piece& piece) {
  if (piece.job == 0) {
    if (busy() && upload_)
      return make_error(ec::overloaded,
                        fmt::format("training job {} is under way; try again when it has ended", job_->number()));
    if (busy())
      job_->stop("it gave way to an upload");
    upload_ = true;
    begin(training_phase::receiving, {});
  } else if (!upload_ || !job_ || job_->number() != piece.job || !worker_) {
    return make_error(ec::not_found, "this node knows no such upload; send it again from the beginning");
  }
  heard_ = self_->clock().now();
  return self_->delegate(worker_, piece);
}

void trainer_state::begin(training_phase phase, std::vector<blob> candidates) {
  const auto now = static_cast<uint64_t>(node_->time->now().time_since_epoch().count());
  last_number_ = std::max(last_number_ + 1, now);
  job_ = std::make_shared<training_job>(last_number_, phase);
  jobs_.push_back(job_);
  if (jobs_.size() > jobs_remembered)
    jobs_.pop_front();
  training_order order{job_, trainer_actor{self_}, running_, {}, std::move(candidates)};
  if (phase == training_phase::training)
    order.logs = {history_.of_users(), history_.all()};
  auto& system = self_->system();
  worker_ = node_->config.detach_blocking ? system.spawn<caf::detached>(training, node_, std::move(order))
                                          : system.spawn(training, node_, std::move(order));
  self_->monitor(worker_);
  if (phase == training_phase::training)
    self_->send(worker_, tick_a_v);
  log::info("trainer", "job-began", {{"job", job_->number()}, {"kind", upload_ ? "upload" : "own"}});
}

caf::result<training_status> trainer_state::status(uint64_t number) const {
  auto known = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->number() == number; });
  if (known == jobs_.end())
    return make_error(ec::not_found, "this node has no training job of that number; it remembers the last 16");
  return (*known)->status();
}

training_list trainer_state::jobs() const {
  training_list all;
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job)
    all.jobs.push_back((*job)->status());
  return all;
}

/// Looks whether the newest job is over and takes what it brought.
void trainer_state::settle() {
  if (!job_ || !job_->over())
    return;
  auto result = job_->take();
  if (!result)
    return;
  const auto said = job_->status();
  log::info("trainer", said.phase == training_phase::adopted ? "models-adopted" : "models-kept",
            {{"job", said.job},
             {"recall_20", double{said.users.recall_20}},
             {"running_recall_20", double{said.running_users.recall_20}},
             {"bad_lines", said.bad_lines}});
  if (said.phase != training_phase::adopted)
    return;
  keep(*result);
  serve(result->judged.models);
  if (result->judged.models.origin == node_->self.region) {
    unpublished_ = result->file;
    publish();
  }
}

void trainer_state::look() {
  memory_.set(history_.bytes());
  settle();
  end_stalled_upload();
  train_on_what_was_seen();
  look_elsewhere();
}

void trainer_state::end_stalled_upload() {
  if (busy() && upload_ && job_->status().phase == training_phase::receiving
      && self_->clock().now() - heard_ > upload_timeout) {
    job_->stop("the upload stopped before its end; send it again");
    caf::anon_send_exit(worker_, caf::exit_reason::user_shutdown);
  }
}

void trainer_state::train_on_what_was_seen() {
  const auto now = self_->clock().now();
  const auto every = node_->config.train_every;
  if (busy() || every.count() == 0 || now - last_training_ < every || history_.added() - trained_upto_ < fewest_new)
    return;
  last_training_ = now;
  trained_upto_ = history_.added();
  upload_ = false;
  begin(training_phase::training, {});
}

// -- what is learned from ---------------------------------------------------------------------------------------------

void trainer_state::learn(const access_batch& batch) {
  for (const auto& sample : batch.samples)
    if (sample.write)
      history_.add_write(sample.id, node_->self.region, epoch_seconds(sample.at));
    else
      for (uint32_t k = 0; k < (sample.user.empty() ? std::min(sample.count, most_of_one) : 1u); ++k)
        history_.add(sample.user, sample.id, node_->self.region, epoch_seconds(sample.at));
}

void trainer_state::learn(const region_accesses& report) {
  for (const auto& item : report.items) {
    if (item.writes > 0)
      history_.add_write(item.id, report.region, epoch_seconds(item.last));
    for (uint32_t k = 0; k < std::min(item.reads, most_of_one); ++k)
      history_.add({}, item.id, report.region, epoch_seconds(item.last));
  }
}

void trainer_state::forget(const std::string& user) {
  history_.forget(user);
}

// -- what was trained -------------------------------------------------------------------------------------------------

void trainer_state::restore() {
  self_->request(store(), node_->config.peer_timeout, store_get{{index_key}})
      .then(
          [this](const store_values& values) {
            kept_ = values.found[0] ? parse_index(values.values[0].view()) : std::vector<uint64_t>{};
            restore_next(std::make_shared<std::vector<uint64_t>>(kept_.rbegin(), kept_.rend()));
          },
          [](const caf::error& reason) {
            log::error("trainer", "models-not-read", {{"reason", sentence_of(reason)}});
          });
}

/// Tries the last of `versions`; one that cannot be used is named, and the one before it is tried.
void trainer_state::restore_next(std::shared_ptr<std::vector<uint64_t>> versions) {
  if (versions->empty() || running_.version != 0)
    return;
  const auto version = versions->back();
  versions->pop_back();
  self_->request(store(), node_->config.peer_timeout, store_get{{version_key(version)}})
      .then(
          [=, this](const store_values& values) {
            expected<learning::trained_models> models{make_error(ec::not_found, "the store does not have it")};
            if (values.found[0])
              models = learning::models_from_file(values.values[0].view());
            if (models)
              return serve(std::move(*models));
            log::error("trainer", "model-refused", {{"version", version}, {"reason", sentence_of(models.error())}});
            restore_next(versions);
          },
          [=, this](const caf::error& reason) {
            log::error("trainer", "model-not-read", {{"version", version}, {"reason", sentence_of(reason)}});
            restore_next(versions);
          });
}

void trainer_state::serve(learning::trained_models models) {
  running_ = std::move(models);
  node_->models.set({running_.version, std::make_shared<const learning::trained_models>(running_)});
}

/// The new version, with the last ones before it, in one synced batch.
void trainer_state::keep(const training_result& result) {
  const auto version = result.judged.models.version;
  std::erase(kept_, version);
  kept_.insert(kept_.begin(), version);
  store_batch batch;
  // As before every large value (`keys::fence`): what stands before it must not share its block.
  batch.puts.emplace_back(keys::meta("models-fence"), blob{std::string(keys::fence_bytes, '#')});
  batch.puts.emplace_back(version_key(version), result.file);
  for (; kept_.size() > versions_kept; kept_.pop_back())
    batch.erases.push_back(version_key(kept_.back()));
  batch.puts.emplace_back(index_key, blob{fmt::format("{}", fmt::join(kept_, " "))});
  self_->request(store(), node_->config.request_timeout, std::move(batch))
      .then([](const store_receipt&) {},
            [version](const caf::error& reason) {
              log::error("trainer", "models-not-kept", {{"version", version}, {"reason", sentence_of(reason)}});
            });
}

// -- other regions ----------------------------------------------------------------------------------------------------

/// Writes the region's models over those that are there.
void trainer_state::publish() {
  if (publishing_ || unpublished_.view().empty())
    return;
  publishing_ = true;
  read_item request;
  request.id = models_item(node_->self.region);
  request.without_values = true;
  request.strong = true;
  self_->request(node_->handles.get()->router, node_->config.request_timeout, request)
      .then([this](const item_versions& there) { write_models(there.versions.context); },
            [this](const caf::error& reason) {
              if (code_of(reason) == ec::not_found || code_of(reason) == ec::gone)
                return write_models({});
              publishing_ = false; // the next look tries again
            });
}

void trainer_state::write_models(version_vector seen) {
  write_item write;
  write.id = models_item(node_->self.region);
  write.value = unpublished_;
  write.content_type = "application/octet-stream";
  write.seen = std::move(seen);
  self_->request(node_->handles.get()->router, node_->config.request_timeout, std::move(write))
      .then(
          [this, written = unpublished_](const write_receipt&) {
            publishing_ = false;
            if (written == unpublished_)
              unpublished_ = {};
          },
          [this](const caf::error& reason) {
            publishing_ = false;
            log::warn("trainer", "models-not-published", {{"reason", sentence_of(reason)}});
          });
}

void trainer_state::look_elsewhere() {
  const auto now = self_->clock().now();
  if (now - looked_elsewhere_ < look_elsewhere_every)
    return;
  looked_elsewhere_ = now;
  publish();
  auto view = node_->cluster.get();
  for (const auto& peer : view->peers) {
    if (!peer.usable())
      continue;
    const auto region = peer.identity.region;
    auto id = models_item(region);
    self_->request(node_->shard(id), node_->config.peer_timeout, locate_a_v, id)
        .then(
            [this, region](const std::vector<std::string>& holders, bool) {
              if (!holders.empty())
                ask_for_models(region, false);
            },
            [](const caf::error&) {});
  }
}

/// First for the versions alone; the values follow when they are new.
void trainer_state::ask_for_models(const std::string& region, bool values) {
  read_item request;
  request.id = models_item(region);
  request.without_values = !values;
  self_->request(node_->handles.get()->router, node_->config.request_timeout, request)
      .then(
          [=, this](const item_versions& found) {
            if (busy() || judged_[region] == found.versions.etag())
              return;
            values ? consider(region, found) : ask_for_models(region, true);
          },
          [](const caf::error&) {});
}

void trainer_state::consider(const std::string& region, const item_versions& found) {
  judged_[region] = found.versions.etag();
  upload_ = false;
  begin(training_phase::training, found.values);
}

} // namespace gnomon
