#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "face/base/check.h"
#include "index/store/template_store.h"
#include "tests/index/local/gallery_fixture.h"

namespace facegate {

// A gallery of one who stays and one who is to be erased, whose bytes can be counted in its files.
class ErasureTest : public GalleryTest {
 protected:
  ErasureTest() {
    Enrol("staying-behind", staying_);
    Enrol("zebra-crossing", erased_);
  }

  size_t Count(const std::string& bytes) { return CountInFiles(directory(), bytes); }
  void ExpectErasedAfterCompaction() {
    ASSERT_THAT(gallery_->Compact(), IsOk());
    gallery_.reset();
    EXPECT_EQ(Count(BytesOf(erased_)), 0u);
    EXPECT_GT(Count(BytesOf(staying_)), 0u);
    gallery_ = OpenOrDie(directory(), clock_);
    EXPECT_EQ(Search(staying_, 1)->front().identity, "staying-behind");
    EXPECT_EQ(Count(BytesOf(erased_)), 0u);
  }

  const Embedding staying_ = Random();
  const Embedding erased_ = Random();
};

// The mark that something is still to be erased.
class ErasePendingTest : public ErasureTest {
 protected:
  static std::unique_ptr<TemplateStore> OpenStore(const std::string& path) {
    auto store = OpenTemplateStore({.directory = path});
    FACEGATE_CHECK(store.ok());
    return *std::move(store);
  }
  static bool Pending(const std::string& path) { return OpenStore(path)->erase_pending(); }
  // The files as a killed process would leave them.
  std::string Copy() {
    std::string copy = dir_.File("copy");
    std::filesystem::remove_all(copy);
    std::filesystem::copy(directory(), copy, std::filesystem::copy_options::recursive);
    return copy;
  }
  // The only identity of `store` with that id.
  static IdentityKey KeyOf(const TemplateStore& store, const std::string& id) {
    IdentityKey key;
    FACEGATE_CHECK(store
                       .ReadIdentities([&](const StoredIdentity& identity) {
                         if (identity.id == id) key = identity.key;
                         return OkStatus();
                       })
                       .ok());
    return key;
  }
  // With its templates.
  static StoreChange DeletionOf(const TemplateStore& store, const IdentityKey& key) {
    StoreChange change;
    change.deleted_identities.push_back(key);
    const IdentityKey next{.collection = key.collection, .identity = key.identity + 1};
    FACEGATE_CHECK(
        store
            .ReadTemplates(key, next,
                           [&](const StoredTemplate& one) {
                             change.deleted_templates.push_back(
                                 {.owner = one.key.owner, .template_id = one.key.template_id});
                             return OkStatus();
                           })
            .ok());
    return change;
  }
};

}  // namespace facegate
