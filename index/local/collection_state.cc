#include "index/local/collection_state.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"

namespace facegate {

const IdentityEntry* CollectionState::Find(std::string_view identity) const {
  const auto found = identities_.find(identity);
  return found == identities_.end() ? nullptr : &found->second;
}

std::optional<std::vector<uint64_t>> CollectionState::HeirsSince(uint64_t from) const {
  if (merges_ - from > heirs_.size()) return std::nullopt;
  std::vector<uint64_t> heirs;
  for (uint64_t merge = from; merge < merges_; ++merge) {
    heirs.push_back(heirs_[merge % heirs_.size()]);
  }
  return heirs;
}

const std::string* CollectionState::OwnerOf(const IndexMatch& match) const {
  const auto name = names_.find(match.group);
  if (name == names_.end()) return nullptr;
  const IdentityEntry& entry = identities_.find(*name->second)->second;
  return FindTemplate(entry, match.template_id) == entry.templates.end() ? nullptr : name->second;
}

std::optional<CollectionState::Reservation> CollectionState::TryReserve(size_t rows) {
  Reservation room;
  if (!index_->TryReserve(rows)) return std::nullopt;
  room.templates = Rows(*index_, rows);
  if (means_ == nullptr) return room;
  if (!means_->TryReserve(1)) return std::nullopt;
  room.mean = Rows(*means_, 1);
  return room;
}

StatusOr<CollectionState::Reservation> CollectionState::Reserve(size_t rows) {
  Reservation room;
  FACEGATE_RETURN_IF_ERROR(index_->Reserve(rows));
  room.templates = Rows(*index_, rows);
  if (means_ == nullptr) return room;
  FACEGATE_RETURN_IF_ERROR(means_->Reserve(1));
  room.mean = Rows(*means_, 1);
  return room;
}

CollectionState::Addition CollectionState::Prepare(const StoredIdentity& identity,
                                                   std::span<const StoredTemplate> added) const {
  IdentityEntry entry{.uid = identity.key.identity,
                      .create_time_us = identity.create_time_us,
                      .update_time_us = identity.update_time_us,
                      .revision = identity.revision,
                      .labels = identity.labels,
                      .templates = {},
                      .mean = {}};
  const IdentityEntry* known = Find(identity.id);
  const size_t already = known == nullptr ? 0 : known->templates.size();
  entry.templates.reserve(already + added.size());
  if (known != nullptr) {
    entry.templates = known->templates;
    entry.mean = known->mean;
  }
  for (const StoredTemplate& stored : added) {
    entry.templates.push_back({.id = stored.key.template_id,
                               .slot = {},
                               .create_time_us = stored.create_time_us,
                               .detection_score = stored.detection_score,
                               .detector = stored.detector,
                               .source_digest = stored.source_digest,
                               .source = stored.source,
                               .quality = stored.quality});
  }
  Identities one;
  one.emplace(identity.id, std::move(entry));
  std::map<uint64_t, const std::string*> name;
  name.emplace(identity.key.identity, nullptr);
  Addition addition;
  addition.identity_ = one.extract(one.begin());
  addition.name_ = name.extract(name.begin());
  if (known == nullptr)
    addition.labels_ = LabelIndex::Prepare(identity.key.identity, identity.labels);
  return addition;
}

void CollectionState::Commit(Addition addition, std::span<const StoredTemplate> added,
                             Reservation& room) {
  std::vector<TemplateEntry>& templates = addition.identity_.mapped().templates;
  const size_t already = templates.size() - added.size();
  for (size_t i = 0; i < added.size(); ++i) {
    room.templates.Use();
    templates[already + i].slot = index_->Add(added[i].key.owner.identity, added[i].key.template_id,
                                              added[i].embedding.values());
  }
  const auto known = identities_.find(addition.identity_.key());
  if (known != identities_.end()) {
    // Rows may have moved since the addition was prepared.
    for (size_t i = 0; i < already; ++i) templates[i].slot = known->second.templates[i].slot;
    addition.identity_.mapped().mean = known->second.mean;
    known->second = std::move(addition.identity_.mapped());
    FollowTemplates(known->second, room);
    return;
  }
  const auto placed = identities_.insert(std::move(addition.identity_)).position;
  addition.name_.mapped() = &placed->first;
  names_.insert(std::move(addition.name_));
  labels_.Add(std::move(addition.labels_));
  FollowTemplates(placed->second, room);
}

void CollectionState::Update(std::string_view identity, StoredIdentity record,
                             LabelIndex::Addition labels) {
  const auto found = identities_.find(identity);
  FACEGATE_CHECK(found != identities_.end());
  IdentityEntry& entry = found->second;
  entry.create_time_us = record.create_time_us;
  entry.update_time_us = record.update_time_us;
  entry.revision = record.revision;
  labels_.Remove(entry.uid, entry.labels);
  labels_.Add(std::move(labels));
  entry.labels = std::move(record.labels);
  if (record.id == identity) return;
  // The node keeps its place in memory, and with it what names_ points to.
  Identities::node_type node = identities_.extract(found);
  node.key() = std::move(record.id);
  FACEGATE_CHECK(identities_.insert(std::move(node)).inserted);
}

void CollectionState::Merge(std::string_view source, std::string_view target, IdentityEntry merged,
                            LabelIndex::Addition labels, Reservation& room) {
  const auto from = identities_.find(source);
  const auto into = identities_.find(target);
  FACEGATE_CHECK(from != identities_.end() && into != identities_.end() && from != into);
  for (const TemplateEntry& moved : from->second.templates) {
    index_->SetGroup(moved.slot, merged.uid);
  }
  // Rows may have moved since the merge was planned.
  for (TemplateEntry& one : merged.templates) {
    const auto mine = FindTemplate(into->second, one.id);
    one.slot = mine != into->second.templates.end() ? mine->slot
                                                    : FindTemplate(from->second, one.id)->slot;
  }
  merged.mean = into->second.mean;
  const uint64_t gone = from->second.uid;
  Forget(from->second);
  labels_.Remove(gone, from->second.labels);
  labels_.Remove(merged.uid, into->second.labels);
  labels_.Add(std::move(labels));
  into->second = std::move(merged);
  names_.erase(gone);
  identities_.erase(from);
  heirs_[merges_++ % heirs_.size()] = into->second.uid;
  FollowTemplates(into->second, room);
}

void CollectionState::RemoveIdentity(std::string_view identity) {
  const auto found = identities_.find(identity);
  FACEGATE_CHECK(found != identities_.end());
  for (const TemplateEntry& entry : found->second.templates) index_->Remove(entry.slot);
  Forget(found->second);
  labels_.Remove(found->second.uid, found->second.labels);
  names_.erase(found->second.uid);
  identities_.erase(found);
}

void CollectionState::RemoveTemplate(std::string_view identity, uint64_t template_id,
                                     Reservation& room) {
  const auto found = identities_.find(identity);
  FACEGATE_CHECK(found != identities_.end());
  const auto entry = FindTemplate(found->second, template_id);
  FACEGATE_CHECK(entry != found->second.templates.end());
  index_->Remove(entry->slot);
  found->second.templates.erase(entry);
  FollowTemplates(found->second, room);
}

StatusOr<std::optional<CollectionState::Move>> CollectionState::BeginMove(double least_removed,
                                                                          uint64_t removed_until) {
  for (VectorIndex* const index : {index_.get(), means_.get()}) {
    if (index == nullptr) continue;
    FACEGATE_ASSIGN_OR_RETURN(auto rows, index->BeginMove(least_removed, removed_until));
    if (rows != nullptr) return std::optional<Move>({.index = index, .rows = std::move(rows)});
  }
  return std::optional<Move>();
}

bool CollectionState::Follow(Move& move) {
  constexpr size_t kAtOnce = 256;  // less than a millisecond
  const std::vector<VectorIndex::Slot>& moved = move.rows->moved();
  const size_t end = std::min(moved.size(), move.followed + kAtOnce);
  for (; move.followed < end; ++move.followed) {
    const VectorIndex::Slot slot = moved[move.followed];
    const std::optional<RowLabel> label = move.index->LabelOf(slot);
    if (!label.has_value()) continue;
    IdentityEntry& entry = identities_.find(*names_.at(label->group))->second;
    if (move.index == means_.get()) {
      entry.mean = slot;
    } else {
      const auto place = FindTemplate(entry, label->template_id) - entry.templates.cbegin();
      entry.templates[static_cast<size_t>(place)].slot = slot;
    }
  }
  if (move.followed < moved.size()) return true;
  move.index->EndMove(*move.rows);
  return false;
}

std::vector<TemplateEntry>::const_iterator FindTemplate(const IdentityEntry& entry,
                                                        uint64_t template_id) {
  const auto place =
      std::lower_bound(entry.templates.begin(), entry.templates.end(), template_id,
                       [](const TemplateEntry& one, uint64_t id) { return one.id < id; });
  if (place != entry.templates.end() && place->id != template_id) return entry.templates.end();
  return place;
}

}  // namespace facegate
