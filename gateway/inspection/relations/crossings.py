"""The frames: what crosses a line, by category of the guidance (DOMAIN.md section 4), each with a reason.

Data only; what a frame means is `frames`. A frame is written for a relation (I do this to you), not for a phrase: rules
have phrases. Words are given in their base form; every form and spelling of them counts.
"""

from typing import Final

from gateway.inspection.relations.features import keys_of_words as keys
from gateway.inspection.relations.frames import (
    FIRM,
    HINT,
    LIKELY,
    SURE,
    Frame,
    Limb,
    far,
    of,
    said,
    subject,
    to,
    under,
)

_I: Final = "i"
_ME: Final = "me myself"
_MINE: Final = "me my mine myself i"
_YOU: Final = "you yourself thee"
_YOURS: Final = "you your yours yourself"
_I_SPEAK: Final = keys(_MINE)
_TO_YOU: Final = keys(_YOURS)
_NOW: Final = frozenset({"are", "'re", "r", "re"})
_HIM: Final = keys("he him his she her they them their suspect defendant")
_FUN: Final = (
    "drink coffee tea pint wine dinner lunch supper breakfast meal bite brunch curry pub bar restaurant cafe walk stroll "
    "film cinema movie gig concert picnic beach weekend dance dancing chippy cocktail date theatre match rugby"
)
_EVENING: Final = "evening night tonight weekend saturday sunday friday bed alone late lonely sleep anytime"
_LOOKS: Final = (
    "gorgeous stunning beautiful pretty cute hot fit sexy attractive handsome fanciable ravishing bonny radiant dazzling "
    "adorable delicious tasty irresistible"
)
_NICE: Final = "lovely nice amazing fantastic great smart fabulous incredible wonderful elegant young perfect"
_BODY: Final = (
    "eye eyes smile hair leg legs body figure lip lips skin neck curve curves bum arse boob boobs chest freckle freckles "
    "dimple dimples walk laugh perfume scent"
)
_CLOTHES: Final = (
    "dress skirt coat boot boots heels blouse jumper shorts bikini swimsuit uniform jeans top leggings colour red blue "
    "green black tan haircut lipstick outfit suit scarf jacket mac hat frock"
)
_CLOSE_CLOTHES: Final = (
    "dress skirt boots heels blouse bikini swimsuit shorts leggings lipstick outfit top jeans hair"
)
_PICTURE: Final = "photo picture pic selfie snap likeness portrait photograph image"
_NETWORK: Final = (
    "facebook instagram insta tiktok snapchat twitter tinder bumble hinge strava linkedin page profile story stories post "
    "posts account feed album reels request"
)
_CHAT: Final = (
    "whatsapp signal telegram messenger facetime snapchat insta instagram hotmail gmail viber skype"
)
_WATCHERS: Final = (
    "sergeant sarge inspector boss gaffer supervisor dc ds pc standards psd professional mum mother dad sister brother "
    "husband wife partner anyone anybody somebody someone nobody caseworker worker counsellor solicitor friend office "
    "unit desk log file record report diary manager team survey form complaint"
)
_PROPER_TALK: Final = keys(
    "evidence witness witnesses suspect defendant court media press publicly online compensation remit advise"
)


_ADVANCES: Final = (
    Frame("loves-you", "romantic-advance", SURE, "says what the officer feels for the reader",
          keys("love adore fancy cherish worship crave"), (subject(_I), to(_YOU)),
          without=keys("if would"), mood="claimed"),
    Frame("misses-you", "romantic-advance", LIKELY, "says that the officer misses the reader",
          keys("miss"), (subject(_I), to(_YOU)), without=keys("call when yesterday last by sorry"), mood="claimed"),
    Frame("kisses-you", "romantic-advance", SURE, "speaks of touching or marrying the reader",
          keys("kiss cuddle hug marry date court hold"), (subject(_I), to(_YOU))),
    Frame("fond-of-you", "romantic-advance", SURE, "says that the officer is taken with the reader",
          keys("fond keen smitten crazy mad besotted sweet soft"), (under(_YOU),), (keys(_I),), unanchored=True),
    Frame("in-love", "romantic-advance", SURE, "says that the officer is in love with the reader",
          keys("love"), (Limb("<", keys("in")),), (keys(_I), keys(_YOU)), without=_HIM),
    Frame("thinks-of-you", "romantic-advance", LIKELY, "says that the reader is on the officer's mind",
          keys("think dream fantasise wonder"), (subject(_I), under(_YOU)), (keys("about of"),),
          without=keys("less worse badly family families loss statement case what should whether how if that") | _HIM, unanchored=True),
    Frame("out-of-my-mind", "romantic-advance", SURE, "says that the reader is on the officer's mind",
          keys("get stop"), (under(_YOU),), (keys("head mind thinking"), keys("i my")),
          without=keys("statement case") | _HIM, mood="denied", unanchored=True),
    Frame("feels-something", "romantic-advance", SURE, "says that the officer feels something for the reader",
          keys("feel felt have had be"), (subject("i there"), to("spark crush chemistry attraction butterflies feelings connection")),
          (keys(f"{_MINE} {_YOURS} we us our"),), without=_HIM | keys("phone call answer mast signal")),
    Frame("cares-for-you", "romantic-advance", LIKELY, "says that the officer cares for the reader",
          keys("care"), (subject(_I), under("for about"), under(_YOU)), mood="claimed", unanchored=True),
    Frame("takes-you-out", "romantic-advance", SURE, "offers to take the reader out",
          keys("take treat buy cook make spoil wine"), (subject(_I), to(_YOU)), (keys(f"out {_FUN}"),), unanchored=True,
          without=keys("team we court")),
    Frame("lets-take-you-out", "romantic-advance", SURE, "offers to take the reader out",
          keys("let allow"), (far("take buy treat cook"), far(_YOU)), (keys(f"out {_FUN}"), keys("me")), unanchored=True),
    Frame("invites-to-leisure", "romantic-advance", LIKELY, "asks the reader to do something together in free time",
          keys("fancy join grab share come go meet have like get"), (under(_FUN),), (keys("you me us we"),),
          without=keys("suite available provide voucher facilities he she they him them his"), mood="question",
          unanchored=True),
    Frame("fancies-leisure", "romantic-advance", LIKELY, "asks the reader to do something together in free time",
          keys(_FUN), (Limb(">", keys("fancy quick cheeky")),), mood="question", unanchored=True, without=_HIM),
    Frame("fancy-some", "romantic-advance", LIKELY, "asks the reader to do something together in free time",
          keys("fancy"), (under(_FUN),), mood="question", unanchored=True, without=_HIM),
    Frame("orders-leisure", "romantic-advance", LIKELY, "asks the reader to do something together in free time",
          keys("join come grab let meet have"), (under(_FUN),), (keys("me us mine"),), mood="order", unanchored=True),
    Frame("leisure-with-me", "romantic-advance", LIKELY, "proposes free time with the officer",
          keys(_FUN), (under("me us"),), unanchored=True, without=_HIM | keys("let please")),
    Frame("not-an-officer", "romantic-advance", LIKELY, "imagines what would be if the officer were not one",
          keys("be"), (subject(_I), said("officer oic policeman police copper detective")), (keys("if"), keys(_YOU)),
          mood="denied"),
    Frame("you-and-me", "romantic-advance", FIRM, "pairs the reader and the officer",
          keys(_YOU), (Limb(">", keys("me i myself"), frozenset({"conj"})),), unanchored=True,
          without=keys("both either ask call meet speak contact")),
    Frame("wait-for-you", "romantic-advance", LIKELY, "says that the officer would wait for the reader, or came for the reader",
          keys("wait"), (subject(_I),), (keys(_YOU),), unanchored=True,
          without=keys("hear hearing reply outside results until from moment minute")),
)  # fmt: skip


_PRAISE: Final = (
    Frame("you-are-gorgeous", "appearance-compliment", SURE, "praises the reader's looks",
          keys("be look seem come get"), (subject(_YOU), said(_LOOKS)), mood="claimed"),
    Frame("you-look-nice", "appearance-compliment", LIKELY, "praises how the reader looks",
          keys("look scrub"), (subject(_YOU), said(_NICE))),
    Frame("scrubs-up", "appearance-compliment", LIKELY, "praises how the reader looks",
          keys("scrub"), (subject(_YOU), said("well up nice"))),
    Frame("you-have-eyes", "appearance-compliment", SURE, "praises the reader's body",
          keys("have get"), (subject(_YOU), to(_BODY)), (keys(f"{_LOOKS} {_NICE}"),)),
    Frame("your-eyes", "appearance-compliment", LIKELY, "speaks of the reader's body",
          keys(_BODY), (of("your"),), (keys(f"{_LOOKS} {_NICE} love like notice miss think watch suit"),),
          without=_HIM | keys("injury bruise cctv swab wound sample pull tear grab hit"), unanchored=True),
    Frame("notices-your-looks", "appearance-compliment", SURE, "watches the reader's body or dress",
          keys("notice watch stare admire love like miss imagine"), (subject(_I), under(f"{_BODY} {_CLOSE_CLOTHES}")),
          (keys("your"),), without=_HIM, mood="claimed", unanchored=True),
    Frame("suits-you", "appearance-compliment", LIKELY, "praises what the reader wears",
          keys("suit flatter become"), (subject(f"{_CLOTHES} hair that it look sun sea"), to(_YOU)),
          without=keys("time date day appointment better if when monday tuesday wednesday thursday friday whichever which "
                       "slot morning afternoon what would will let"), mood="claimed"),
    Frame("best-looking", "appearance-compliment", SURE, "calls the reader the best to look at",
          keys("woman man girl lad lass person lady bloke one copper witness thing looker"),
          (under(f"{_LOOKS} look handsomest prettiest fittest loveliest"),), (keys(_YOU),), without=_HIM | keys("by")),
    Frame("dressed-like-that", "appearance-compliment", LIKELY, "remarks on what the reader wears",
          keys(_CLOSE_CLOTHES), (of("your that those them"),), (keys("wow amazing suit look like love good notice"),),
          unanchored=True, without=_HIM | keys("pull tear grab wear seize forensic return bring description describe court")),
    Frame("not-your-age", "appearance-compliment", LIKELY, "flatters the reader's age",
          keys("look"), (subject(_YOU), under("age old thirty forty twenty")), mood="denied"),
    Frame("turned-heads", "appearance-compliment", LIKELY, "says that others look at the reader",
          keys("turn stop"), (subject("you that"), under("head heads traffic"))),
)  # fmt: skip


_CLOSENESS: Final = (
    Frame("only-you", "emotional-intimacy", HINT, "makes the reader the only one",
          keys("be"), (subject(f"{_YOU} i"), under("only")), (keys(_YOU), keys(_MINE)),
          without=keys("contact officer if need when available working case statement") | _HIM, unanchored=True),
    Frame("here-for-you", "emotional-intimacy", LIKELY, "offers the officer's own person, not the team",
          keys("be"), (subject(_I), under("here there always"), under(_YOU)), (keys("for"),),
          without=keys("if questions question help number available to"), unanchored=True),
    Frame("worries-about-you", "emotional-intimacy", LIKELY, "says that the officer worries about the reader in private",
          keys("worry fret"), (subject(_I), under(_YOU)), mood="claimed", unanchored=True),
    Frame("get-each-other", "emotional-intimacy", LIKELY, "claims a bond with the reader",
          keys("get understand know"), (subject("we"), under("other")), (keys("each one"),),
          without=_HIM, unanchored=True),
    Frame("makes-my-day", "emotional-intimacy", LIKELY, "says what the reader does for the officer",
          keys("make brighten keep cheer lift"), (subject(_YOURS), far("day job week me smile shift")), (keys("you your"),),
          without=_HIM | keys("aware sure contact phone statement note"), unanchored=True, mood="claimed"),
    Frame("nobody-like-you", "emotional-intimacy", LIKELY, "sets the reader above everybody",
          keys("nobody anybody"), (), (keys("like than"), keys(_YOU), keys(_MINE)),
          without=_HIM, unanchored=True),
    Frame("you-are-special", "emotional-intimacy", LIKELY, "calls the reader special",
          keys("be mean"), (subject(_YOU), said("special different rare precious angel everything")),
          without=_HIM | keys("measures offer"), unanchored=True, mood="claimed"),
    Frame("not-like-others", "emotional-intimacy", LIKELY, "sets the reader above everybody",
          keys("be"), (subject(_YOU), under("like"), under("other others most")), without=_HIM, unanchored=True, mood="denied"),
    Frame("cannot-without-you", "emotional-intimacy", LIKELY, "says that the officer depends on the reader",
          keys("without"), (to(_YOU),), (keys(_I),), unanchored=True, mood=""),
    Frame("with-you-i", "emotional-intimacy", HINT, "says what being with the reader does to the officer",
          keys("with"), (to(_YOU),), (keys(_I), keys("feel lid myself different safe talk seem happy hour evening")),
          unanchored=True, without=_HIM | keys("discuss share update contact")),
    Frame("on-my-mind", "emotional-intimacy", LIKELY, "says that the reader is on the officer's mind",
          keys("mind"), (of("my"),), (keys(_YOU),), without=keys("slip change bear keep cross") | _HIM, unanchored=True),
)  # fmt: skip


_PRIVATE_LIFE: Final = (
    Frame("i-am-single", "personal-disclosure", SURE, "tells of the officer's own love life or loneliness",
          keys("be get feel"), (subject(_I), said("single lonely divorced separated widowed unhappy")),
          without=keys("if phone desk number office call line")),
    Frame("my-marriage", "personal-disclosure", LIKELY, "tells of the officer's own marriage",
          keys("marriage divorce ex missus"), (of("my"),)),
    Frame("my-partner", "personal-disclosure", HINT, "speaks of the officer's own partner",
          keys("wife husband girlfriend boyfriend partner"), (of("my"),), without=keys("colleague patrol")),
    Frame("a-divorce", "personal-disclosure", FIRM, "tells of the officer's own marriage",
          keys("divorce breakup separation"), (), (keys("i my me"),), without=_TO_YOU | _HIM | keys("proceedings court"),
          unanchored=True),
    Frame("separated", "personal-disclosure", SURE, "tells of the officer's own marriage",
          keys("separate divorce split dump"), (subject("i wife husband missus ex"),), (keys("my i"),),
          without=keys("message case statement voicemail desk office country you your meeting details"), unanchored=True),
    Frame("quiet-house", "personal-disclosure", LIKELY, "tells of the officer's own empty home",
          keys("be feel get"), (subject("house bed flat place home"), said("empty quiet cold lonely")), (keys("my here mine"),),
          without=_TO_YOU | _HIM, unanchored=True),
    Frame("has-had-a-drink", "personal-disclosure", LIKELY, "tells of the officer's own drinking",
          keys("drink have had sink"), (subject(_I), under("whisky wine beer vodka gin drink pint")), (keys("i"),),
          without=_HIM, unanchored=True, mood="claimed"),
    Frame("seeing-anyone", "intrusive-question", SURE, "asks whether the reader is with anybody",
          keys("see date court"), (subject(_YOU), under("anyone anybody someone somebody man bloke fella woman")),
          (keys("be"),), mood="question", unanchored=True, without=_HIM | keys("incident happen"),
          forms=_NOW),
    Frame("are-you-married", "intrusive-question", LIKELY, "asks whether the reader is with anybody",
          keys("be get"), (subject(_YOU), said("single married attached spoken taken courting divorced available")),
          mood="question", unanchored=True, without=keys("monday tuesday wednesday thursday friday to at for")),
    Frame("a-man-in-your-life", "intrusive-question", LIKELY, "asks after a partner of the reader",
          keys("boyfriend girlfriend partner husband fella bloke lodger"), (), (keys("who is have got be"), keys(_YOURS)),
          without=_HIM | keys("incident injure threaten assault with if"), mood="question", unanchored=True),
    Frame("lives-alone", "intrusive-question", LIKELY, "asks whether the reader is alone",
          keys("live sleep get"), (subject(_YOU), under("alone own yourself lonely")), mood="question", unanchored=True,
          without=keys("if safe children form question feel when happen at")),
    Frame("of-an-evening", "intrusive-question", LIKELY, "asks what the reader does in free time",
          keys("do go drink get spend pass occupy"), (subject(_YOU), under("evening night weekend fun saturday out")),
          mood="question", unanchored=True, without=_HIM | keys("incident last hear when happen remember")),
    Frame("your-type", "intrusive-question", SURE, "asks what the reader likes in people",
          keys("type"), (), (keys("your got you"), keys("what got have who")), mood="question", unanchored=True,
          without=keys("injury vehicle car phone blood weapon")),
)  # fmt: skip


_MEETINGS: Final = (
    Frame("at-mine", "off-duty-contact", SURE, "offers the officer's own home",
          keys("at to round"), (to("mine"),), (keys("you come stay ring call sleep pop"),), without=keys("colleague of")),
    Frame("come-to-my-place", "off-duty-contact", SURE, "offers the officer's own home",
          keys("come stay sleep visit ring call"), (under("flat place house home spare"), under("my mine")),
          without=_HIM | keys("colleague")),
    Frame("comes-by-alone", "off-duty-contact", LIKELY, "would come to the reader outside police work",
          keys("come call pop drop swing nip stop visit drive"), (subject(_I),),
          (keys("off finish duty alone myself knock uniform"), keys(f"{_YOURS} round by past over")),
          unanchored=True, without=keys("colleague we team file")),
    Frame("past-yours", "off-duty-contact", LIKELY, "would come to the reader's home",
          keys("past by round over to"), (Limb(">", keys("yours"), frozenset({"pobj"})),), (keys("i me"),), without=_HIM,
          unanchored=True),
    Frame("off-duty", "off-duty-contact", HINT, "speaks of the officer's free time to the reader",
          keys("duty shift work"), (Limb("<", keys("off after from finish")),), (keys("i"), keys(f"{_YOU} {_FUN} yours")),
          without=keys("return back sick leave statement cover colleague email reply respond update"), unanchored=True),
    Frame("ring-me-at-night", "off-duty-contact", LIKELY, "asks to be rung at night or out of loneliness",
          keys("ring call phone text message"), (to(_ME),), (keys(f"{_EVENING}"),), mood="order",
          without=keys("999 101 emergency statement court") | _HIM, unanchored=True),
    Frame("just-us", "off-duty-contact", LIKELY, "stresses that the two would be alone",
          keys("us two"), (under("just only"),), (keys("two us"),), without=_HIM | keys("witness"), unanchored=True),
    Frame("own-number", "private-channel", SURE, "gives or asks for a number or address of one's own",
          keys("number mobile phone email address account line landline mailbox cell hotmail gmail"),
          (of("my"), of("own personal private home other normal proper")), without=keys("direct desk")),
    Frame("number-is-mine", "private-channel", SURE, "gives a number or address of one's own",
          keys("be"), (subject("this that number one it"), under("mine own home")),
          (keys("work office force ring call number mobile line"),), without=_HIM | _TO_YOU | keys("case child"), unanchored=True),
    Frame("message-me-there", "private-channel", SURE, "moves the talk to an app that the force cannot see",
          keys("whatsapp message text find reach catch add snap dm get call talk chat be facetime drop write"),
          (under(_CHAT),), (keys(_MINE),), without=_HIM | keys("evidence exhibit screenshot download send preserve")),
    Frame("whatsapp-me", "private-channel", SURE, "moves the talk to an app that the force cannot see",
          keys("whatsapp facetime snapchat dm insta snap"), (Limb(">", keys("me us")),), without=_HIM),
    Frame("not-this-address", "private-channel", FIRM, "steers the reader away from the force's own address",
          keys("use ring reply email write call message send"), (under("address email desk office line system computer"),),
          (keys("this the here work"), keys(f"not never instead off {_MINE}")), mood="denied",
          without=_HIM | keys("name names old rest statement monitored unattended attachment personal sensitive bank emergency report"),
          unanchored=True),
    Frame("better-number", "private-channel", LIKELY, "asks for a number that is not on file",
          keys("number insta snapchat handle"), (far("give friends own other real proper"),),
          (keys("your you"), keys("what give friends own")), mood="question", unanchored=True),
)  # fmt: skip


_CONCEALMENT: Final = (
    Frame("do-not-tell", "secrecy", HINT, "asks the reader to keep the officer's contact from somebody",
          keys("tell mention say breathe repeat let show share tag"), (), (keys(f"{_MINE} us our we this"), keys(_WATCHERS)),
          mood="forbidden", without=_PROPER_TALK | keys("they") | _HIM),
    Frame("no-need-to-mention", "secrecy", LIKELY, "asks the reader not to mention the officer",
          keys("mention tell say write log put let"), (far("i me us my our"),), (keys("need needn rather best sooner"),),
          mood="forbidden", without=_PROPER_TALK | _HIM, unanchored=True),
    Frame("not-from-me", "secrecy", SURE, "asks the reader to hide where something came from",
          keys("come hear have get"), (subject(f"{_YOU} this it that"), under("from")), (keys("me"),), mood="denied",
          without=_HIM | keys("if yet reply when week response")),
    Frame("between-us", "secrecy", SURE, "asks for a secret of two",
          keys("between"), (to("us ourselves you we me"),), (keys("keep stay stop this that secret just our go word"),),
          without=_HIM | keys("dispute meeting agree relationship time")),
    Frame("destroy-this", "secrecy", HINT, "asks the reader to destroy the message",
          keys("delete bin burn shred destroy erase wipe lose clear"),
          (under("this email message text letter note paragraph these sent it item"),), mood="order",
          without=keys("error mistake receive gone recipient intended app scam bank link virus password") | _HIM),
    Frame("not-on-record", "secrecy", LIKELY, "keeps something off the record",
          keys("log record put write enter note book go show add"), (under("log file record book report diary calendar sheet statement"),),
          (keys(f"{_MINE} this us our it that"),), mood="denied",
          without=_HIM | keys("evidence crime conviction if unless yet till until")),
    Frame("leave-me-out", "secrecy", LIKELY, "asks the reader to leave the officer out of what is told",
          keys("leave left keep kept"), (under("out off"),), (keys("my our me us"), keys("what of")), unanchored=False,
          without=_HIM | keys("copy witness evidence children")),
    Frame("if-anyone-asks", "secrecy", LIKELY, "hands the reader an answer for those who ask",
          keys("ask ring phone wonder inquire call come"), (Limb(">", keys("if when"), frozenset({"mark", "advmod"})),
          subject("anyone anybody sergeant inspector mum dc standards lass somebody")),
          (keys(f"{_MINE} you we us"),),
          without=_HIM | keys("please 101 999 refer direct signature reference advice help call")),
    Frame("off-the-record", "secrecy", LIKELY, "speaks off the record",
          keys("record books"), (Limb("<", keys("off")),), (_I_SPEAK | _TO_YOU,)),
    Frame("nobody-knows", "secrecy", HINT, "says that nobody knows or need know",
          keys("know hear learn notice find"), (subject("nobody anyone anybody one they sergeant sarge inspector unit"),),
          (keys("no need not nobody never"), keys(f"{_MINE} we us our you")), without=keys("suspect cause why yet outcome") | _HIM,
          unanchored=True),
    Frame("do-not-report", "complaint-shaping", SURE, "asks the reader not to complain",
          keys("report"), (to(f"{_MINE} this it us"),), mood="forbidden", without=_HIM | keys("crime incident fraud lost")),
    Frame("do-not-complain", "complaint-shaping", SURE, "asks the reader not to complain",
          keys("complain"), (), (keys(f"{_MINE} this"),), mood="forbidden", without=_HIM),
    Frame("say-i-was", "complaint-shaping", LIKELY, "tells the reader what to say of the officer",
          keys("say put tell write describe state"), (under(_MINE),),
          (keys("survey feedback complaint standards psd inspector sergeant form commissioner sarge boss questionnaire review "
                "letter line card"),), mood="order", without=_HIM | keys("statement court defendant")),
    Frame("copy-this-out", "complaint-shaping", LIKELY, "drafts words for the reader about the officer",
          keys("copy send write email forward"), (under("words lines below few yours own"),),
          (keys("sergeant inspector boss sarge standards commissioner chief"), keys(_MINE)), without=_HIM),
    Frame("drop-me-in-it", "complaint-shaping", LIKELY, "asks the reader not to get the officer into trouble",
          keys("drop get land"), (to(_ME),), (keys("it trouble sack job"), keys(_YOU)), without=_HIM),
    Frame("should-not-say", "boundary-awareness", LIKELY, "knows that it should not be said",
          keys("say write tell ask do put send admit add"), (under("not never"),),
          (keys("should ought mean suppose allow probably prob shall"), keys("i"), keys("this that it so you")),
          without=_PROPER_TALK | _HIM | keys("detail discuss until name"), mood="", unanchored=True),
    Frame("out-of-line", "boundary-awareness", FIRM, "hedges what is said as out of place",
          keys("unprofessional irregular presumptuous liberty overstep"), (), (_I_SPEAK | _TO_YOU,),
          without=_HIM | keys("date look email post address letter mail copy statement move bring put send go way report at"), unanchored=True),
    Frame("too-forward", "boundary-awareness", LIKELY, "hedges what is said as out of place",
          keys("be sound seem"), (said("forward cheeky bold"),), (_I_SPEAK | keys("this that it"),), without=_HIM,
          unanchored=True),
    Frame("not-professional", "boundary-awareness", LIKELY, "knows that it is not professional",
          keys("professional appropriate proper"), (under("me"),), (keys("not"),), without=_HIM | keys("discuss advise")),
    Frame("if-inappropriate", "boundary-awareness", LIKELY, "hedges what is said as out of place",
          keys("ignore tell forgive excuse stop"), (to("me"), far("inappropriate line turn cheeky forward unprofessional")),
          (keys("if"),), without=_HIM),
    Frame("as-a-man", "boundary-awareness", LIKELY, "speaks as a person and not as an officer",
          keys("as"), (to("man woman friend human person bloke mate"),), (keys("i me not"), keys("officer policeman copper police "
          "you")), without=_HIM | keys("suspect describe identify same"), unanchored=True),
    Frame("could-be-sacked", "boundary-awareness", LIKELY, "knows what it could cost the officer",
          keys("get be lose"), (subject(_I), under("trouble sack discipline fire ear badge warrant stripes")),
          (keys("could would might will if for"),), without=_HIM, unanchored=True),
)  # fmt: skip


_PRESSURE: Final = (
    Frame("you-owe-me", "leverage", SURE, "says that the reader is in the officer's debt",
          keys("owe"), (subject(_YOU), to("me us")), mood="claimed"),
    Frame("be-nice-and", "leverage", LIKELY, "makes help hang on the reader's goodwill",
          keys("be keep stay"), (said("nice sweet pleasant friendly good grateful"),), (keys("and if then"), keys("me us i will")),
          mood="order", unanchored=True, without=_HIM),
    Frame("only-i-believe", "leverage", LIKELY, "says that only this officer helps",
          keys("believe help fight care look stick take"), (subject("who nobody i else one that"),),
          (keys("only nobody"), keys(_YOU), keys(_MINE)), without=keys("can if when") | _HIM),
    Frame("after-all-i-did", "leverage", LIKELY, "reckons up what the officer did for the reader",
          keys("do put give"), (subject(_I), under(_YOU)), (keys("after"), keys("all everything lot")), without=_HIM),
    Frame("would-be-a-pity", "leverage", LIKELY, "veils a threat as regret",
          keys("be hate"), (under("pity shame hate"),), (keys("if"), keys(_YOURS)), without=keys("sorry miss") | _HIM,
          unanchored=True),
    Frame("i-could-make", "leverage", LIKELY, "could make trouble, or make it go away",
          keys("disappear vanish slip"), (), (keys("i"), keys("make let"), keys("could can would"))),
    Frame("no-answer", "persistence", LIKELY, "reproaches the reader for not answering",
          keys("reply answer respond text message ring"), (subject(_YOU),), (keys("me my i why"),), mood="denied", unanchored=True,
          without=keys("if when need please case call door statement earlier your tried try") | _HIM),
    Frame("did-i-upset-you", "persistence", LIKELY, "asks why the reader has gone quiet",
          keys("upset offend annoy frighten scare ignore avoid"), (to("you me"),), (keys("i"), keys(_YOU)), mood="question",
          without=_HIM | keys("interview questions"), unanchored=True),
    Frame("keeps-asking", "persistence", LIKELY, "says that the officer will not give up",
          keys("ask try hope wait write"), (Limb("<", keys("keep")),), (keys("i"),), without=_HIM | keys("number contact reach"),
          unanchored=True),
    Frame("wont-hurt", "persistence", LIKELY, "argues with a refusal",
          keys("hurt bite kill harm"), (subject(f"i one it {_FUN}"),), mood="denied", unanchored=True, without=_HIM),
    Frame("asked-me-not-to", "persistence", SURE, "writes although the reader asked for an end of it",
          keys("ask tell"), (subject(_YOU), to(_ME), under("not never stop leave")), (keys("but know still just"),)),
    Frame("gives-to-you", "gift-favour", LIKELY, "gives the reader something of the officer's own",
          keys("buy bought get got bring brought leave left order purchase pick send"), (subject(_I),),
          (keys("present gift flowers chocolates card parcel perfume bottle something treat cake scent necklace bracelet"
                " envelope"), keys("you your")), without=_HIM | keys("exhibit property calling office contact sorry wish"),
          unanchored=True),
    Frame("my-treat", "gift-favour", LIKELY, "treats the reader",
          keys("treat present gift shout"), (Limb(">", keys("my a"), frozenset({"poss", "det"})),), (keys("my i me you"),), unanchored=True,
          without=_HIM | keys("incident")),
    Frame("pays-for-you", "gift-favour", LIKELY, "pays for the reader",
          keys("pay paid lend put settle top sort cover"), (subject(_I),), (keys("you your"), keys("quid pound pounds £ fifty forty "
          "twenty fiver tenner bill rent fine ticket meter card")), without=_HIM | keys("apply claim fund force scheme"), unanchored=True),
    Frame("sorts-a-fine", "gift-favour", LIKELY, "makes a fine or ticket go away",
          keys("sort fix square cancel lose"), (to("ticket fine points bill caution"),), (keys("i me"), keys("let could can will")),
          without=_HIM),
    Frame("peeked", "gift-favour", LIKELY, "looked something up as a favour",
          keys("have get take"), (subject(_I), to("peek nosey dig look gander"), under("record system file database plate pnc history")),
          without=keys("cctv footage evidence statement")),
    Frame("looked-up-for-you", "gift-favour", LIKELY, "looked something up as a favour",
          keys("look check run peek dig search consult pull"), (subject(_I),), (keys("you favour quiet books own"),
          keys("record system database plate pnc previous history his him")),
          without=keys("update cctv footage case evidence statement crime")),
)  # fmt: skip


_PICTURES_AND_PAGES: Final = (
    Frame("picture-of-you", "photo-exchange", SURE, "asks for, or keeps, a picture of the reader",
          keys(_PICTURE), (under("of"), under("you yourself")), (keys(f"send show have keep like want see need get post {_MINE}"),),
          without=_HIM | keys("injury injuries bruise cctv suspect passport identification damage took incident taken consent sling cast scar wound id board pass holding hold face necklace ring watch clasp disc safe"),
          unanchored=True),
    Frame("picture-of-your-looks", "photo-exchange", SURE, "asks for a picture of the reader's looks",
          keys(_PICTURE), (under("of"), under(f"{_BODY} {_CLOSE_CLOTHES}")), (keys("your you"), keys("send show have see me us")),
          without=_HIM | keys("injury bruise wound"), unanchored=True),
    Frame("picture-of-me", "photo-exchange", SURE, "offers a picture of the officer",
          keys(f"{_PICTURE} one"), (under("of"), under("me myself")), (keys(f"here attach enclose send put {_PICTURE}"),),
          without=_HIM | keys("copy warrant")),
    Frame("one-of-you", "photo-exchange", LIKELY, "asks for a picture of the reader",
          keys("send show spare swap keep get"), (under("one"), under("you yourself")), (keys("of"), keys("me us you")), mood="order",
          unanchored=True, without=_HIM | keys("form copy statement")),
    Frame("selfie", "photo-exchange", LIKELY, "speaks of a selfie with the reader",
          keys("selfie"), (), (keys(f"{_YOURS} {_MINE} us"),), without=_HIM | keys("evidence exhibit")),
    Frame("your-page", "social-media", FIRM, "looks at, or adds, the reader's own page",
          keys("follow add friend scroll like find found look see saw watch message join connect request come read check nosey "
               "stalk notice"), (subject(_I), under(_NETWORK)), (keys("your you"),),
          without=_HIM | keys("evidence suspect threat screenshot download report victim insurer bank statement trial"), unanchored=True),
    Frame("add-me", "social-media", SURE, "asks to be added or followed",
          keys("add follow accept friend tag snap like"), (Limb(">", keys("me my us")),), (keys(f"{_NETWORK} me"),), mood="order",
          without=_HIM | keys("advice instructions link list copy distribution")),
    Frame("was-that-you", "social-media", LIKELY, "found the reader's own page",
          keys("be see find"), (under("on"), under(_NETWORK)), (keys("you"), keys("that on")), mood="question",
          without=_HIM | keys("contact message threat suspect"), unanchored=True),
    Frame("my-request", "social-media", LIKELY, "has asked to be let in on the reader's page",
          keys("request"), (), (keys("my friend follow accept pending send"), keys("snap friend follow accept insta instagram facebook linkedin strava tiktok page profile"), keys(_MINE)),
          without=_HIM | keys("disclosure evidence review cps information freedom subject")),
    Frame("your-stories", "social-media", LIKELY, "follows what the reader puts up",
          keys("story stories posts reels page profile pics"), (of("your"),), (keys(f"{_MINE} make love like see laugh"),),
          without=_HIM | keys("evidence report secure privacy change statement contact"), unanchored=True),
    Frame("tucks-you-in", "sexual-content", SURE, "imagines the reader in bed or bath",
          keys("tuck undress bathe soap massage"), (subject(_I), to(_YOU)), without=keys("report")),
    Frame("imagines-you", "sexual-content", SURE, "imagines the reader's body",
          keys("imagine picture think want love like wish bet see"), (subject(_I), under(_YOURS)),
          (keys("naked undress undressed shower bed bath nude handcuffs cuffs knickers bra underneath nowt"),),
          without=_HIM | keys("statement exhibit"), unanchored=True),
    Frame("what-are-you-wearing", "sexual-content", SURE, "asks what the reader is wearing",
          keys("wear"), (subject(_YOU), under("what")), (keys("be"),), mood="question",
          without=_HIM | keys("incident time attack night when court"), unanchored=True,
          forms=_NOW),
    Frame("in-bed", "sexual-content", HINT, "speaks of bed or bath to the reader",
          keys("bed bath shower handcuffs cuffs knickers"), (), (keys("i me my"), keys(_YOURS), keys("wish bet could would love in "
          "warm wash tuck fit next")), without=_HIM | keys("statement exhibit forensic evidence hospital child children mattress"),
          unanchored=True),
)  # fmt: skip


_NAMES: Final = (
    Frame("pet-name", "endearment", LIKELY, "calls the reader by a pet name",
          keys("darling babe hun hon sweetheart gorgeous beautiful sunshine petal lovely sweetie sweetpea angel princess chick "
               "treacle cariad honey babes doll dearest"), mood="called"),
    Frame("my-dear", "endearment", HINT, "calls the reader by a pet name",
          keys("dear darling love sweetheart angel"), (Limb(">", keys("my"), frozenset({"poss"})),), mood=""),
)  # fmt: skip


FRAMES: Final[tuple[Frame, ...]] = (
    *_ADVANCES, *_PRAISE, *_CLOSENESS, *_PRIVATE_LIFE, *_MEETINGS, *_CONCEALMENT, *_PRESSURE, *_PICTURES_AND_PAGES, *_NAMES,
)  # fmt: skip
