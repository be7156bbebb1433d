"""Each frame on a sentence that it is for, and on the proper sentence that it must leave alone."""

import pytest

from gateway.inspection.relations import frames, parse
from gateway.inspection.relations.crossings import FRAMES
from gateway.inspection.relations.features import Features

HITS = {
    "loves-you": "I love you and I will be in the gallery.",
    "misses-you": "I miss you.",
    "kisses-you": "I nearly kissed you at the door.",
    "fond-of-you": "It is to tell you that I am fond of you.",
    "in-love": "I know how this sounds but I think I'm falling in love with you.",
    "thinks-of-you": "I was thinking about you.",
    "out-of-my-mind": "Cant get u out of my head",
    "feels-something": "I felt a spark when you came in.",
    "cares-for-you": "I care about you.",
    "takes-you-out": "I'd love to take you out sometime.",
    "lets-take-you-out": "Would you let me take you to dinner once this is done?",
    "invites-to-leisure": "Do you fancy a drink some time?",
    "fancies-leisure": "Off tomorrow, fancy a walk?",
    "fancy-some": "Fancy a drink one evening?",
    "orders-leisure": "Come and have a coffee with me.",
    "leisure-with-me": "Dinner with me on Saturday, then?",
    "not-an-officer": "If I weren't the OIC I'd ask you out.",
    "you-and-me": "I think you and me could go a long way.",
    "wait-for-you": "I'll wait for you at the park gates on Saturday.",
    "you-are-gorgeous": "u looked stunning on Monday",
    "you-look-nice": "You looked lovely on Monday.",
    "scrubs-up": "You scrub up well.",
    "you-have-eyes": "You've got gorgeous eyes.",
    "your-eyes": "Your figure is incredible.",
    "notices-your-looks": "I noticed your new hair.",
    "suits-you": "That colour really suits you by the way.",
    "best-looking": "You were the best-looking person in that room.",
    "dressed-like-that": "That dress on Monday, wow.",
    "not-your-age": "You don't look your age.",
    "turned-heads": "You turned every head on the ward.",
    "only-you": "You're the only person who gets me.",
    "here-for-you": "I'll always be there for you.",
    "worries-about-you": "I worry about you when I'm off.",
    "get-each-other": "We just get each other.",
    "makes-my-day": "You make this job worthwhile.",
    "nobody-like-you": "Nobody else will look after you like I do.",
    "you-are-special": "You are special.",
    "not-like-others": "You're not like other victims.",
    "cannot-without-you": "I don't know what I'd do without you.",
    "with-you-i": "With you I feel safe.",
    "on-my-mind": "You were on my mind all day.",
    "i-am-single": "Im single again, for my sins",
    "my-marriage": "My marriage is over.",
    "my-partner": "My wife won't mind.",
    "a-divorce": "I've been through a nasty divorce so I get it.",
    "separated": "My wife and I have separated.",
    "quiet-house": "My house is so quiet these days.",
    "has-had-a-drink": "I had a drink and thought of it.",
    "seeing-anyone": "Are you seeing anyone?",
    "are-you-married": "Are you single?",
    "a-man-in-your-life": "Have you got a boyfriend then?",
    "lives-alone": "Do u live by yourself?",
    "of-an-evening": "What do you do of an evening?",
    "your-type": "What's your type then?",
    "at-mine": "Come to mine, I'll cook.",
    "come-to-my-place": "Come round to my place on Friday.",
    "comes-by-alone": "I'll pop round on my own, no uniform.",
    "past-yours": "I drive past yours anyway.",
    "off-duty": "Can I come over tonight after work and see you?",
    "ring-me-at-night": "Ring me when you can't sleep.",
    "just-us": "Fancy getting a bite to eat, just us?",
    "own-number": "Here's my own mobile, save you ringing the nick.",
    "number-is-mine": "This number is mine and not the office's.",
    "message-me-there": "Drop me a line on my hotmail instead.",
    "whatsapp-me": "WhatsApp me, I'm rubbish with this e-mail.",
    "not-this-address": "Don't use this address, they read it.",
    "better-number": "What's the number that you give your friends?",
    "do-not-tell": "Please don't tell anyone I came round on Wednesday night.",
    "no-need-to-mention": "You needn't mention that I came round.",
    "not-from-me": "You didnt hear this from me",
    "between-us": "This stays between me and you.",
    "destroy-this": "Best bin this once you've read it.",
    "not-on-record": "Don't put that in your statement about us chatting.",
    "leave-me-out": "Leave my visit out of what you tell the counsellor.",
    "if-anyone-asks": "If anyone asks we only spoke about the case.",
    "off-the-record": "Off the record, I'd love to help you myself.",
    "nobody-knows": "We could share a room at the hotel, nobody would know.",
    "do-not-report": "Please don't report this, my kids need my wage.",
    "do-not-complain": "Don't complain, I meant well.",
    "say-i-was": "Tell my inspector I was kind to you.",
    "copy-this-out": "Copy out my words below and send them to my sergeant.",
    "drop-me-in-it": "You won't drop me in it, will you?",
    "should-not-say": "I probably shouldn't say this.",
    "out-of-line": "This is really unprofessional of me.",
    "too-forward": "Hope you don't think this is forward.",
    "not-professional": "Not very professional of me, I know.",
    "if-inappropriate": "Ignore me if this is inappropriate.",
    "as-a-man": "Speaking as a man, not a policeman.",
    "could-be-sacked": "I could get in trouble for this.",
    "you-owe-me": "I went out on a limb, you owe me a drink.",
    "be-nice-and": "Be nice and I'll chase forensics.",
    "only-i-believe": "I'm the only one here who believes you.",
    "after-all-i-did": "After all I've done for you.",
    "would-be-a-pity": "It would be a shame if your case was dropped.",
    "i-could-make": "I could make that caution disappear.",
    "no-answer": "You haven't replied to me all week.",
    "did-i-upset-you": "Have I upset you?",
    "keeps-asking": "I'll keep asking until you say yes.",
    "wont-hurt": "One drink won't hurt.",
    "asked-me-not-to": "I know you asked me not to write, but here I am.",
    "gives-to-you": "Left a little something on your doorstep.",
    "my-treat": "My treat.",
    "pays-for-you": "I'll lend you fifty till payday.",
    "sorts-a-fine": "Let me sort that parking ticket.",
    "peeked": "I had a peek at his record for you.",
    "looked-up-for-you": "I looked your new bloke up on the computer for you, his record is long.",
    "picture-of-you": "Can you send me a photo of yourself?",
    "picture-of-your-looks": "Send us a pic of your new hair.",
    "picture-of-me": "Here is a photo of me in Spain.",
    "one-of-you": "Send me one of you.",
    "selfie": "Bet you take a good selfie.",
    "your-page": "I found your page last night.",
    "add-me": "Add me on Facebook.",
    "was-that-you": "Was that you on Tinder?",
    "my-request": "Accept my request.",
    "your-stories": "Your stories make me laugh.",
    "tucks-you-in": "Wish I was tucking you in.",
    "imagines-you": "I keep imagining you in the bath.",
    "what-are-you-wearing": "What are u wearing?",
    "in-bed": "My bed is cold, you could warm it up.",
    "pet-name": "Chin up babe",
    "my-dear": "Goodnight, my angel.",
}
PROPER = (
    "He loves you, and he said so in every letter.",
    "I'd love you to come to the court visit.",
    "We miss you at the group.",
    "I will kiss goodbye to my leave.",
    "We were thinking of you and your family at the funeral.",
    "I thought about how you were treated by the court.",
    "I care about getting this right.",
    "I will take you through the statement on Monday.",
    "Let me take you through the form.",
    "Coffee is available at the witness suite.",
    "You and the officer will meet at the front desk.",
    "You looked upset on Monday.",
    "My own direct line was taken out in the spring.",
    "Don't ring the old office line, they've cut it.",
    "I'd think no less of you if you don't.",
    "The phone company has answered and there was one connection at 06:12.",
    "I'm sorry to tell you the bench has been damaged, the same two lads by the look of it.",
    "Could you send the picture of yourself with the necklace on?",
    "Please don't call me pet names on the line, it is all recorded.",
    "You can fit the lock yourself.",
    "Your eyes were swollen in the photographs.",
    "I noticed that your hair had been pulled out.",
    "Would Monday suit you?",
    "A better date for you would be the ninth.",
    "We are here for you.",
    "The advocate will always be there for you.",
    "I worry that the trial will be adjourned.",
    "I am available on Monday.",
    "He is divorced.",
    "Were you seeing anyone at the time?",
    "What were you wearing on the night?",
    "What was he wearing?",
    "I will call at your home with DC Patel at six.",
    "My work mobile is below.",
    "I won't give you my own number.",
    "He messaged you on WhatsApp.",
    "Please do not discuss your evidence with the other witnesses.",
    "There was an argument between us and the landlord.",
    "You will hear from me by Friday.",
    "You can complain to professional standards.",
    "I have no report of it on the system.",
    "I should not say more until the hearing.",
    "Please forward this to your insurer.",
    "The court owes you an explanation.",
    "You don't owe me an apology.",
    "Your ex asked you not to tell me.",
    "You asked me to write to your new address.",
    "I have left your property at the front desk.",
    "I checked the record for the bail decision.",
    "Please send photographs of the bruising.",
    "He kept a picture of you on his phone.",
    "Please keep the Instagram messages that he sent.",
    "He followed your page for months.",
    "Please add me to the list of people copied in.",
    "Your bedding has gone to the laboratory.",
    "Lovely weather for the site visit.",
    "The letter opens with the word darling.",
)  # fmt: skip


def found(text):
    features = Features(parse.parse(text), text)
    return {frame.name: place for frame in frames.candidates(text) if (place := frame.found(features))}


def test_every_frame_is_tried():
    """A frame that nobody shows a sentence for may as well not be there; names are given once."""
    assert [frame.name for frame in FRAMES] == list(dict.fromkeys(frame.name for frame in FRAMES))
    assert {frame.name for frame in FRAMES} == set(HITS)


@pytest.mark.parametrize("name", HITS)
def test_a_frame_finds_what_it_is_for(name):
    """The frame fires at its own grade, in the words that carry it."""
    place = found(HITS[name]).get(name)
    frame = next(frame for frame in FRAMES if frame.name == name)
    assert place is not None
    assert place.grade == frame.grade
    assert HITS[name][place.start : place.end].strip()


@pytest.mark.parametrize("text", PROPER)
def test_a_proper_sentence_is_no_crossing(text):
    """The same words in the hands of a careful officer are worth nothing, or less than what counts alone."""
    assert max((place.grade for place in found(text).values()), default=0) <= frames.HINT


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("He never deserved you, I love you.", "loves-you"),
        ("Sign the statement on Monday and let me take you out for dinner.", "lets-take-you-out"),
        ("I love you and your case means the world to me.", "loves-you"),
        ("Fancy a drink after you sign your statement?", "fancy-some"),
        ("The suspect was charged today, you owe me a drink.", "you-owe-me"),
        ("My sergeant is off and I miss you.", "misses-you"),
    ],
)
def test_what_another_clause_says_does_not_silence(text, name):
    """A third person or a case term elsewhere in the sentence is no excuse."""
    place = found(text).get(name)
    frame = next(frame for frame in FRAMES if frame.name == name)
    assert place is not None
    assert place.grade == frame.grade


def test_business_in_its_own_clause_weighs_less_and_is_not_lost():
    """What police business in the same clause may explain does not count alone, and is remembered."""
    place = found("Join me for a coffee before the hearing?")["invites-to-leisure"]
    assert place.grade == frames.ANCHORED


@pytest.mark.parametrize(
    "text",
    [
        "I can't accept your invitation to dinner.",
        "I won't give you my own number.",
        "We are not allowed to accept your friend request.",
        "It would not be appropriate for me to meet you for a drink.",
    ],
)
def test_an_officer_who_declines_crosses_no_line(text):
    """A refusal lowers a cue inside the engine, before there is a finding."""
    assert found(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "I can't stop thinking about you.",
        "You can't tell anyone I came round.",
        "I won't tell anyone, you owe me a drink.",
    ],
)
def test_not_every_denial_is_a_refusal(text):
    """What is denied must be what is asked for."""
    assert found(text)
