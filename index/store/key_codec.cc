#include "index/store/key_codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "face/base/coding.h"

namespace facegate {
namespace {

std::optional<uint64_t> TakeUid(std::string_view& in) {
  const std::optional<uint64_t> uid = TakeBigEndian<uint64_t>(in);
  if (!uid.has_value() || *uid == 0 || *uid >= kUidLimit) return std::nullopt;
  return uid;
}

std::optional<IdentityKey> TakeIdentityKey(std::string_view& in) {
  const std::optional<uint64_t> collection = TakeUid(in);
  if (!collection.has_value()) return std::nullopt;
  const std::optional<uint64_t> identity = TakeUid(in);
  if (!identity.has_value()) return std::nullopt;
  return IdentityKey{.collection = *collection, .identity = *identity};
}

}  // namespace

std::string FamilyName(Family family) {
  switch (family) {
    case Family::kMeta:
      return "meta";
    case Family::kCollections:
      return "collections";
    case Family::kIdentities:
      return "identities";
    case Family::kTemplates:
      return "templates";
    case Family::kRequests:
      return "requests";
    case Family::kCrops:
      return "crops";
  }
  return "unknown";
}

std::string EncodeCollectionKey(uint64_t collection) {
  std::string bytes;
  AppendBigEndian(bytes, collection);
  return bytes;
}

std::string EncodeIdentityKey(const IdentityKey& key) {
  std::string bytes = EncodeCollectionKey(key.collection);
  AppendBigEndian(bytes, key.identity);
  return bytes;
}

std::string EncodeTemplateKey(const TemplateKey& key) {
  std::string bytes = EncodeIdentityKey(key.owner);
  AppendBigEndian(bytes, key.generation);
  AppendBigEndian(bytes, key.template_id);
  return bytes;
}

std::string EncodeRequestKey(const RequestKey& key) {
  std::string bytes = EncodeIdentityKey(key.owner);
  bytes.append(key.id.bytes.begin(), key.id.bytes.end());
  return bytes;
}

std::string EncodeCropKey(const FaceKey& key) {
  std::string bytes = EncodeIdentityKey(key.owner);
  AppendBigEndian(bytes, key.template_id);
  return bytes;
}

std::optional<uint64_t> DecodeCollectionKey(std::string_view bytes) {
  const std::optional<uint64_t> collection = TakeUid(bytes);
  if (!bytes.empty()) return std::nullopt;
  return collection;
}

std::optional<IdentityKey> DecodeIdentityKey(std::string_view bytes) {
  const std::optional<IdentityKey> key = TakeIdentityKey(bytes);
  if (!bytes.empty()) return std::nullopt;
  return key;
}

std::optional<TemplateKey> DecodeTemplateKey(std::string_view bytes) {
  const std::optional<IdentityKey> owner = TakeIdentityKey(bytes);
  if (!owner.has_value()) return std::nullopt;
  const std::optional<uint32_t> generation = TakeBigEndian<uint32_t>(bytes);
  if (!generation.has_value()) return std::nullopt;
  const std::optional<uint64_t> template_id = TakeUid(bytes);
  if (!template_id.has_value() || !bytes.empty()) return std::nullopt;
  return TemplateKey{.owner = *owner, .generation = *generation, .template_id = *template_id};
}

std::optional<RequestKey> DecodeRequestKey(std::string_view bytes) {
  const std::optional<uint64_t> collection = TakeBigEndian<uint64_t>(bytes);
  const std::optional<uint64_t> identity = TakeBigEndian<uint64_t>(bytes);
  RequestKey key;
  if (!collection.has_value() || !identity.has_value() || bytes.size() != key.id.bytes.size()) {
    return std::nullopt;
  }
  if (*collection >= kUidLimit || *identity >= kUidLimit) return std::nullopt;
  if (*collection == 0 && *identity != 0) return std::nullopt;
  key.owner = {.collection = *collection, .identity = *identity};
  std::copy(bytes.begin(), bytes.end(), key.id.bytes.begin());
  if (key.id == RequestId{}) return std::nullopt;
  return key;
}

std::optional<FaceKey> DecodeCropKey(std::string_view bytes) {
  const std::optional<IdentityKey> owner = TakeIdentityKey(bytes);
  if (!owner.has_value()) return std::nullopt;
  const std::optional<uint64_t> template_id = TakeUid(bytes);
  if (!template_id.has_value() || !bytes.empty()) return std::nullopt;
  return FaceKey{.owner = *owner, .template_id = *template_id};
}

std::string DescribeKey(uint64_t collection) {
  return fmt::format("collection record at collection {}", collection);
}

std::string DescribeKey(const IdentityKey& key) {
  return fmt::format("identity record at collection {}, identity {}", key.collection, key.identity);
}

std::string DescribeKey(const TemplateKey& key) {
  const std::string generation =
      key.generation == 0 ? "" : fmt::format(" of generation {}", key.generation);
  return fmt::format("template record at collection {}, identity {}, template {}{}",
                     key.owner.collection, key.owner.identity, key.template_id, generation);
}

// The request's id is left out: a client made it up, and with it could look its holder up in a log.
std::string DescribeKey(const RequestKey& key) {
  return fmt::format("request record at collection {}, identity {}", key.owner.collection,
                     key.owner.identity);
}

std::string DescribeKey(const FaceKey& key) {
  return fmt::format("crop at collection {}, identity {}, template {}", key.owner.collection,
                     key.owner.identity, key.template_id);
}

uint64_t LargestUid(uint64_t collection) { return collection; }

uint64_t LargestUid(const IdentityKey& key) { return std::max(key.collection, key.identity); }

uint64_t LargestUid(const TemplateKey& key) {
  return std::max(LargestUid(key.owner), key.template_id);
}

uint64_t LargestUid(const RequestKey& key) { return LargestUid(key.owner); }

uint64_t LargestUid(const FaceKey& key) { return std::max(LargestUid(key.owner), key.template_id); }

}  // namespace facegate
