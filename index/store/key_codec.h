#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "index/request_id.h"

// Keys of the store. They are made of numbers only, because keys end up in places that no deletion
// reaches (table indexes, manifests, RocksDB's own log); the ids that clients chose are personal
// data and stay in values.
//
//   collections   collection:u64
//   identities    collection:u64 identity:u64
//   templates     collection:u64 identity:u64 generation:u32 template:u64
//   requests      collection:u64 identity:u64 request:16 bytes
//   crops         collection:u64 identity:u64 template:u64
//
// Big-endian, so that the order of bytes is the order of numbers and what belongs together is one
// range. See index/store/FORMAT.md.
namespace facegate {

// The column families. The numbers are on disk (they enter the checksum of each value): never
// change one.
enum class Family : uint8_t {
  kMeta = 1,
  kCollections = 2,
  kIdentities = 3,
  kTemplates = 4,
  kRequests = 5,
  kCrops = 6,
};

// The families in the order in which they are opened.
inline constexpr Family kFamilies[] = {Family::kMeta,       Family::kCollections,
                                       Family::kIdentities, Family::kTemplates,
                                       Family::kRequests,   Family::kCrops};
// The name on disk.
std::string FamilyName(Family family);

// Keys of Family::kMeta.
inline constexpr std::string_view kFormatKey = "format";
inline constexpr std::string_view kCountersKey = "counters";
// The beginning of the marks of families: "erase_pending_identities".
inline constexpr std::string_view kErasePendingKey = "erase_pending";
inline constexpr std::string_view kRequestTimeKey = "request_time";
// There while a store of an earlier format is taken over: the format that it had.
inline constexpr std::string_view kTakingOverKey = "taking_over";

// Numbers stay below this, so that the end of a range (number + 1) always exists.
inline constexpr uint64_t kUidLimit = uint64_t{1} << 63;

struct IdentityKey {
  uint64_t collection = 0;
  uint64_t identity = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of a comparison for a pointer.
  auto operator<=>(const IdentityKey&) const = default;
};

// An embedding of a face. Its generation is that of the model that made it: a collection counts its
// models from 0, and another model makes other embeddings of the same faces.
struct TemplateKey {
  IdentityKey owner;
  uint32_t generation = 0;
  uint64_t template_id = 0;
  bool operator==(const TemplateKey&) const = default;
};

// A face of an identity, whatever embeddings there are of it: the templates of all generations with
// that number. The crop of the face, which outlives each model, has its key.
struct FaceKey {
  IdentityKey owner;
  uint64_t template_id = 0;
  bool operator==(const FaceKey&) const = default;
};

// The place of a request's record: below the identity that it wrote, so that it goes with it;
// identity 0 where there is none (any more), and collection 0 likewise.
struct RequestKey {
  IdentityKey owner;
  RequestId id;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of a comparison for a pointer.
  auto operator<=>(const RequestKey&) const = default;
};

// EncodeCollectionKey() and EncodeIdentityKey() are also the lower bounds of what lies below them.
std::string EncodeCollectionKey(uint64_t collection);
std::string EncodeIdentityKey(const IdentityKey& key);
std::string EncodeTemplateKey(const TemplateKey& key);
std::string EncodeRequestKey(const RequestKey& key);
std::string EncodeCropKey(const FaceKey& key);

// nullopt when the bytes are no such key: a wrong length, or a number that is 0 or not below
// kUidLimit (in a request key 0 is allowed, for the collection only together with the identity).
std::optional<uint64_t> DecodeCollectionKey(std::string_view bytes);
std::optional<IdentityKey> DecodeIdentityKey(std::string_view bytes);
std::optional<TemplateKey> DecodeTemplateKey(std::string_view bytes);
std::optional<RequestKey> DecodeRequestKey(std::string_view bytes);
std::optional<FaceKey> DecodeCropKey(std::string_view bytes);

// The record under the key, for messages: "identity record at collection 1, identity 2".
std::string DescribeKey(uint64_t collection);
std::string DescribeKey(const IdentityKey& key);
std::string DescribeKey(const TemplateKey& key);
std::string DescribeKey(const RequestKey& key);
std::string DescribeKey(const FaceKey& key);

// The largest number in the key.
uint64_t LargestUid(uint64_t collection);
uint64_t LargestUid(const IdentityKey& key);
uint64_t LargestUid(const TemplateKey& key);
uint64_t LargestUid(const RequestKey& key);
uint64_t LargestUid(const FaceKey& key);

}  // namespace facegate
