#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/clients/cli_fixture.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using WriteCommandsTest = FacegateCliTest;

TEST_F(WriteCommandsTest, EnrollsOnceWhenTheAnswerIsLost) {
  server_.face.lost_answers = 2;
  const auto result = Run({"enroll", "1017", Photo("a.jpg", "a")});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("identity 1017: created, 1 template now"));
  EXPECT_THAT(server_.face.enrolled().at("1017"), ElementsAre('a'));
  const auto requests = server_.face.enroll_requests();
  ASSERT_EQ(requests.size(), 3U);
  for (const auto& request : requests) {
    EXPECT_THAT(request.request_id(), MatchesRegex(kUuid));
    EXPECT_EQ(request.request_id(), requests[0].request_id());
  }
}

TEST_F(WriteCommandsTest, EnrollsEachPhotoOfAFolderOnceWhenAnswersAreLost) {
  Jpeg("people/1/a.jpg", "a");
  Jpeg("people/1/b.jpg", "b");
  Jpeg("people/2/a.jpg", "c");
  server_.face.lost_answers = 3;
  EXPECT_EQ(Run({"enroll", "--dir", dir_.File("people"), "--jobs", "1"}).code, 0);
  EXPECT_THAT(server_.face.enrolled().at("1"), ElementsAre('a', 'b'));
  EXPECT_THAT(server_.face.enrolled().at("2"), ElementsAre('c'));
  std::set<std::string> ids;
  for (const auto& request : server_.face.enroll_requests()) ids.insert(request.request_id());
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(server_.face.enroll_requests().size(), 6U);
}

TEST_F(WriteCommandsTest, SaysHowToRepeatAWriteWhoseFateIsUnknown) {
  server_.gallery.lost_answers = 100;
  const auto unknown = Run({"identity", "rename", "1017", "2042"});
  EXPECT_EQ(unknown.code, 4);
  const std::string id = server_.gallery.last_rename().request_id();
  EXPECT_THAT(id, MatchesRegex(kUuid));
  EXPECT_THAT(unknown.err, HasSubstr("--request-id " + id));
  server_.gallery.lost_answers = 0;
  const auto repeated = Run({"identity", "rename", "1017", "2042", "--request-id", id});
  EXPECT_EQ(repeated.code, 0) << repeated.err;
  EXPECT_EQ(server_.gallery.last_rename().request_id(), id);
}

TEST_F(WriteCommandsTest, SendsEveryWriteWithARequestIdOfItsOwnOrTheGivenOne) {
  const std::string photo = Photo("a.jpg", "a");
  const std::vector<std::vector<std::string>> writes = {
      {"collection", "create", "staff"},      {"collection", "update", "staff", "--no-min-cosine"},
      {"collection", "delete", "staff"},      {"identity", "label", "1017", "room=4"},
      {"identity", "rename", "1017", "2042"}, {"identity", "merge", "1018", "--into", "1017"},
      {"identity", "delete", "1017"},         {"template", "delete", "1017", "42"},
  };
  for (auto write : writes) {
    EXPECT_EQ(Run(write).code, 0) << write[1];
    write.insert(write.end(), {"--request-id", "given"});
    EXPECT_EQ(Run(write).code, 0) << write[1];
    EXPECT_EQ(server_.gallery.request_ids().back(), "given") << write[1];
  }
  const std::vector<std::string> ids = server_.gallery.request_ids();
  EXPECT_EQ(ids.size(), 2 * writes.size());
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), writes.size() + 1);
  for (size_t i = 0; i < ids.size(); i += 2) EXPECT_THAT(ids[i], MatchesRegex(kUuid));
  EXPECT_EQ(Run({"enroll", "--request-id", "given", "1017", photo}).code, 0);
  EXPECT_EQ(server_.face.enroll_requests().back().request_id(), "given");
  EXPECT_EQ(Run({"enroll", "--request-id", "given", "--dir", dir_.path().string()}).code, 2);
}

TEST_F(WriteCommandsTest, SetsAndRemovesTheOperatingPointOfACollection) {
  const auto set = Run({"collection", "update", "staff", "--min-cosine", "0.45", "--etag", "e1"});
  EXPECT_EQ(set.code, 0) << set.err;
  EXPECT_THAT(set.out, HasSubstr("0.4500"));
  EXPECT_THAT(set.out, HasSubstr("new-etag"));
  v1::UpdateCollectionRequest request = server_.gallery.last_collection_update();
  EXPECT_EQ(request.collection_id(), "staff");
  EXPECT_EQ(request.collection().etag(), "e1");
  EXPECT_EQ(request.collection().min_cosine(), 0.45F);
  EXPECT_THAT(request.update_mask().paths(), ElementsAre("min_cosine"));
  EXPECT_EQ(Run({"collection", "update", "staff", "--no-min-cosine"}).code, 0);
  request = server_.gallery.last_collection_update();
  EXPECT_FALSE(request.collection().has_min_cosine());
  EXPECT_THAT(request.update_mask().paths(), ElementsAre("min_cosine"));
}

TEST_F(WriteCommandsTest, ChangesNothingOfACollectionWithoutBeingTold) {
  EXPECT_EQ(Run({"collection", "update", "staff"}).code, 2);
  EXPECT_EQ(Run({"collection", "update", "staff", "--min-cosine", "0.4", "--no-min-cosine"}).code,
            2);
  EXPECT_THAT(server_.gallery.request_ids(), IsEmpty());
  const auto changed = Run({"collection", "update", "staff", "--no-min-cosine", "--etag", "old"});
  EXPECT_EQ(changed.code, 3);
  EXPECT_THAT(changed.err, HasSubstr("ETAG_MISMATCH"));
}

TEST_F(WriteCommandsTest, WaitsForARequestThatIsStillAtWork) {
  server_.gallery.in_progress = 2;
  EXPECT_EQ(Run({"collection", "update", "staff", "--no-min-cosine"}).code, 0);
  const std::vector<std::string> ids = server_.gallery.request_ids();
  EXPECT_THAT(ids, ElementsAre(ids.front(), ids.front(), ids.front()));
}

TEST_F(WriteCommandsTest, ShowsLabelsAndEtagOfAnIdentity) {
  const auto table = Run({"identity", "get", "1017"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("badge=77, room=4"));
  EXPECT_THAT(table.out, HasSubstr("etag-of-1017"));
  const auto json = nlohmann::json::parse(Run({"--json", "identity", "get", "1017"}).out);
  EXPECT_EQ(json["identity"]["labels"]["room"], "4");
  EXPECT_EQ(json["identity"]["etag"], "etag-of-1017");
}

TEST_F(WriteCommandsTest, SetsAndRemovesLabels) {
  const auto result = Run({"identity", "label", "-c", "staff", "1017", "room=4=b",
                           "empty=", "old-key-", "--etag", "e1"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("badge=77, room=4"));
  const v1::UpdateIdentityRequest request = server_.gallery.last_update();
  EXPECT_EQ(request.collection_id(), "staff");
  EXPECT_EQ(request.identity_id(), "1017");
  EXPECT_EQ(request.identity().etag(), "e1");
  EXPECT_THAT(request.update_mask().paths(),
              ElementsAre("labels.room", "labels.empty", "labels.old-key"));
  EXPECT_THAT(request.identity().labels(),
              UnorderedElementsAre(Pair("room", "4=b"), Pair("empty", "")));
}

TEST_F(WriteCommandsTest, ReplacesAllLabels) {
  EXPECT_EQ(Run({"identity", "label", "1017", "--replace", "room=4"}).code, 0);
  EXPECT_THAT(server_.gallery.last_update().update_mask().paths(), ElementsAre("labels"));
  EXPECT_THAT(server_.gallery.last_update().identity().labels(), ElementsAre(Pair("room", "4")));
  EXPECT_EQ(Run({"identity", "label", "1017", "--replace"}).code, 0);
  EXPECT_THAT(server_.gallery.last_update().identity().labels(), IsEmpty());
}

TEST_F(WriteCommandsTest, RefusesLabelsThatMakeNoSense) {
  EXPECT_EQ(Run({"identity", "label", "1017"}).code, 2);
  EXPECT_EQ(Run({"identity", "label", "1017", "room"}).code, 2);
  EXPECT_EQ(Run({"identity", "label", "1017", "=4"}).code, 2);
  EXPECT_EQ(Run({"identity", "label", "1017", "room=4", "room-"}).code, 2);
  EXPECT_EQ(Run({"identity", "label", "1017", "--replace", "room-"}).code, 2);
  EXPECT_THAT(server_.gallery.request_ids(), IsEmpty());
  const auto changed = Run({"identity", "label", "1017", "room=4", "--etag", "old"});
  EXPECT_EQ(changed.code, 3);
  EXPECT_THAT(changed.err, HasSubstr("ETAG_MISMATCH"));
}

TEST_F(WriteCommandsTest, RenamesAndMergesIdentities) {
  const auto renamed = Run({"--json", "identity", "rename", "-c", "staff", "1017", "2042"});
  EXPECT_EQ(renamed.code, 0) << renamed.err;
  EXPECT_EQ(nlohmann::json::parse(renamed.out)["identity"]["id"], "2042");
  EXPECT_EQ(server_.gallery.last_rename().identity_id(), "1017");
  EXPECT_EQ(server_.gallery.last_rename().new_identity_id(), "2042");
  const auto merged = Run({"identity", "merge", "-c", "staff", "1018", "--into", "1017", "--etag",
                           "e8", "--into-etag", "e7"});
  EXPECT_EQ(merged.code, 0) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("2 templates of 1018 now belong to 1017"));
  const v1::MergeIdentitiesRequest request = server_.gallery.last_merge();
  EXPECT_EQ(request.source_identity_id(), "1018");
  EXPECT_EQ(request.target_identity_id(), "1017");
  EXPECT_EQ(request.source_etag(), "e8");
  EXPECT_EQ(request.target_etag(), "e7");
  EXPECT_EQ(Run({"identity", "merge", "1018"}).code, 2);
}

}  // namespace
}  // namespace facegate::cli
