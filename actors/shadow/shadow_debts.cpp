#include "actors/shadow/shadow_debts.hpp"

#include "actors/shadow/shadow.hpp"
#include "runtime/base/log.hpp"
#include "storage/keys.hpp"

namespace gnomon {

void shadow_debts::leave_hint(const std::string& node, ec reason, std::shared_ptr<deliveries::update> update) {
  if (this_node().is_removed(node)) // nobody will come for it
    return shadow().holders.mark_left(node, item().epoch_of(node));
  auto hint = hints_.failed(node, reason, now());
  if (!hint)
    return;
  if (hint->refused) {
    log::warn("shadow", "not-delivered", {{"id", item().record().id}, {"node", node}, {"reason", name(reason)}});
    tell_behind(node);
  }
  store_batch note;
  note.puts.emplace_back(keys::hint(node, item().record().id), blob{std::move(hint->value)});
  if (!update)
    update = this_node().owed.begin(node);
  update->leaves_hint();
  ++core_.questions;
  self()
      ->request(this_node().store(item().record().id), this_node().config.request_timeout, std::move(note))
      .then(
          [this, update, node](const store_receipt&) {
            --core_.questions;
            if (this_node().is_removed(node)) // since
              return shadow().holders.mark_left(node, item().epoch_of(node));
            if (hints_.contains(node))
              item().note_hint(node, true);
          },
          [this, update, node](const caf::error&) { // the store says so in the log
            --core_.questions;
            hints_.not_written(node);
          });
}

/// `node` could not take what is here: it must not call its copy current.
void shadow_debts::tell_behind(const std::string& node) {
  if (visible())
    ask_peer<holders_ack>(
        node, traffic::repair,
        update_holders{.id = item().record().id,
                       .from = this_node().self.node,
                       .holders = {},
                       .context = visible()->versions.context,
                       .counts = counts(),
                       .refused = true},
        [](const holders_ack&) {}, [](const caf::error&) {}); // the next try tells it again
}

void shadow_debts::not_told(const std::string& node, ec reason) {
  auto joins = item().record().holders.state_of(node) == holder_state::joining;
  if (!visible() || hints_.is_written(node) || (!joins && item().record().owed.count(node) == 0))
    return;
  if (joins) {
    item().owe({node});
    persist();
  }
  leave_hint(node, reason);
}

void shadow_debts::tell_forbidden(const std::string& node) {
  if (!visible())
    return;
  auto told = visible()->versions.context;
  ask_peer<holders_ack>(
      node, traffic::repair,
      update_holders{.id = item().record().id,
                     .from = this_node().self.node,
                     .holders = {},
                     .context = told,
                     .counts = counts(),
                     .forbidden = true},
      [this, node, told, epoch = item().epoch_of(node)](const holders_ack& ack) {
        if (!ack.holds)
          return shadow().holders.mark_left(node, epoch);
        if (item().versions().context == told)
          settle_debt(node);
      },
      [this, node](const caf::error& reason) { leave_hint(node, code_of(reason)); });
}

void shadow_debts::settle_debt(const std::string& node) {
  if (item().record().owed.count(node) > 0) {
    item().settle_debt(node);
    core_.unsaved = true;
  }
  if (!hints_.erase(node))
    return;
  item().note_hint(node, false);
  store_batch done;
  done.erases.push_back(keys::hint(node, item().record().id));
  caf::anon_send(this_node().store(item().record().id), std::move(done));
}

void shadow_debts::review_debts() {
  shadow().holders.tell_holders(item().to_review(), item().record().holders);
}

void shadow_debts::found_hint(const std::string& node, std::string_view value) {
  hints_.found_on_disk(node, value);
  item().note_hint(node, true);
}

void shadow_debts::hand_off(const std::string& node) {
  hints_.handed_off(node);
  if (visible() && item().record().holders.state_of(node) != holder_state::left)
    shadow().updates.send_update(node, traffic::repair);
  else
    settle_debt(node);
}

} // namespace gnomon
