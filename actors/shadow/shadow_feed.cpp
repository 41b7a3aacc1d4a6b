#include "actors/shadow/shadow_feed.hpp"

namespace gnomon {

void shadow_feed::note_write(version_vector before) {
  const auto& is = item().versions();
  written_.push_back({item().record().id, std::move(before), is.context, is.etag(), now(), is.deleted()});
}

void shadow_feed::tell(const item_versions* before) {
  auto written = std::exchange(written_, {});
  const auto& id = item().record().id;
  if (!this_node().follows.matches(id))
    return;
  auto feed = this_node().handles.get()->feed;
  const auto& is = visible()->versions;
  auto known = before ? before->versions.context : version_vector{};
  auto expired = before && known == is.context;
  for (auto& step : written) {
    if (!is.context.covers(step.after)) {
      written_.push_back(std::move(step)); // visible after the next sync
      continue;
    }
    known.merge(step.after);
    self()->send(feed, std::move(step));
  }
  if (expired || (before && !known.covers(is.context)))
    self()->send(feed, item_step{id, known, is.context, is.etag(), now(), is.deleted(), expired});
}

} // namespace gnomon
