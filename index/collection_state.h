#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "index/gallery.h"
#include "index/template_record.h"
#include "index/vector_index.h"

namespace facegate {

struct TemplateEntry {
  uint64_t id = 0;
  VectorIndex::Slot slot;
  int64_t create_time_us = 0;
  float detection_score = 0.0f;
  std::string detector;
  std::string source_digest;
  TemplateSource source = TemplateSource::kUnknown;
  std::optional<float> quality;
};

struct IdentityEntry {
  uint64_t uid = 0;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t revision = 0;
  Labels labels;
  std::vector<TemplateEntry> templates;  // in ascending order of ids
};

// What one collection holds in memory: its identities by id, and the index of their templates.
// Threads: const calls may run together; any other call must run alone, but for TryReserve().
//
// An addition is prepared beside searches, with all the memory that it needs; once the store has
// taken it, Commit() cannot fail.
class CollectionState {
 public:
  using Identities = std::map<std::string, IdentityEntry, std::less<>>;

  // Room in the index; what is not used goes back at the end of scope.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(VectorIndex& index, size_t rows) : index_(&index), rows_(rows) {}
    ~Reservation() {
      if (index_ != nullptr) index_->Release(rows_);
    }
    Reservation(Reservation&& other) noexcept
        : index_(std::exchange(other.index_, nullptr)), rows_(other.rows_) {}
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(index_, other.index_);
      std::swap(rows_, other.rows_);
      return *this;
    }
    void Use() { rows_ -= 1; }

   private:
    VectorIndex* index_ = nullptr;
    size_t rows_ = 0;
  };

  // An identity with templates that it does not have yet.
  class Addition {
   public:
    const IdentityEntry& entry() const { return identity_.mapped(); }

   private:
    friend class CollectionState;
    Identities::node_type identity_;
    std::map<uint64_t, const std::string*>::node_type name_;
  };

  explicit CollectionState(std::unique_ptr<VectorIndex> index) : index_(std::move(index)) {}

  const Identities& identities() const { return identities_; }
  // Null when there is none.
  const IdentityEntry* Find(std::string_view identity) const;
  // The identity with that number, which has rows in the index.
  const std::string& NameOf(uint64_t uid) const { return *names_.at(uid); }
  const VectorIndex& index() const { return *index_; }
  size_t template_count() const { return index_->size(); }

  std::optional<Reservation> TryReserve(size_t rows);
  StatusOr<Reservation> Reserve(size_t rows);

  // `identity` is new, or has kept its templates since they were read; `added` are to follow them.
  Addition Prepare(const StoredIdentity& identity, std::span<const StoredTemplate> added) const;
  // `added` as given to Prepare(), with a row of `room` for each.
  void Commit(Addition addition, std::span<const StoredTemplate> added, Reservation& room);

  // These cannot fail. Identities and template must be there, and the new id of an update free.
  //
  // Takes over what `record` says of the identity that has been `identity` so far: id, labels,
  // times.
  void Update(std::string_view identity, StoredIdentity record);
  // Puts `merged`, which has the templates of both, in the place of `target`, and drops `source`.
  void Merge(std::string_view source, std::string_view target, IdentityEntry merged);
  void RemoveIdentity(std::string_view identity);
  void RemoveTemplate(std::string_view identity, uint64_t template_id);

 private:
  Identities identities_;
  std::map<uint64_t, const std::string*> names_;  // the keys of identities_, by number
  std::unique_ptr<VectorIndex> index_;
};

// The template's place in entry.templates, or their end.
std::vector<TemplateEntry>::const_iterator FindTemplate(const IdentityEntry& entry,
                                                        uint64_t template_id);

}  // namespace facegate
